-- name: create table  expect: refused
CREATE TABLE x (a)
-- name: create table as  expect: refused
CREATE TABLE x AS SELECT * FROM book
-- name: create temp table  expect: refused
CREATE TEMP TABLE x (a)
-- name: create temporary table as  expect: refused
CREATE TEMPORARY TABLE x AS SELECT hex(zeroblob(1000)) FROM book
-- name: create view  expect: refused
CREATE VIEW x AS SELECT 1
-- name: create temp view  expect: refused
CREATE TEMP VIEW book AS SELECT 1 AS id
-- name: create index  expect: refused
CREATE INDEX x ON book (title)
-- name: create unique index  expect: refused
CREATE UNIQUE INDEX IF NOT EXISTS x ON book (price)
-- name: create trigger  expect: refused
CREATE TRIGGER x AFTER INSERT ON book BEGIN DELETE FROM book; END
-- name: create temp trigger  expect: refused
CREATE TEMP TRIGGER x AFTER INSERT ON book BEGIN SELECT 1; END
-- name: create virtual table  expect: refused
CREATE VIRTUAL TABLE x USING fts5(a)
-- name: create virtual table on a file  expect: refused
CREATE VIRTUAL TABLE temp.x USING csv(filename='/etc/passwd')
-- name: create virtual table on the statements  expect: refused
CREATE VIRTUAL TABLE temp.x USING dbstat(main)
-- name: create virtual table on a vocabulary  expect: refused
CREATE VIRTUAL TABLE temp.x USING fts5vocab('main', 'page', 'row')
-- name: create database of another system  expect: refused
CREATE DATABASE x
-- name: create function of another system  expect: refused
CREATE FUNCTION f() RETURNS int AS 'SELECT 1' LANGUAGE SQL
-- name: create user of another system  expect: refused
CREATE USER x IDENTIFIED BY 'y'
-- name: drop table  expect: refused
DROP TABLE book
-- name: drop table if exists  expect: refused
DROP TABLE IF EXISTS main.book
-- name: drop table in parentheses  expect: refused
((DROP TABLE book))
-- name: drop view  expect: refused
DROP VIEW listing
-- name: drop index  expect: refused
DROP INDEX book_price
-- name: drop trigger  expect: refused
DROP TRIGGER noted
-- name: drop in odd case  expect: refused
dRoP/**/tAbLe/**/book
-- name: alter table, rename  expect: refused
ALTER TABLE book RENAME TO books
-- name: alter table, rename a column  expect: refused
ALTER TABLE book RENAME COLUMN title TO name
-- name: alter table, add  expect: refused
ALTER TABLE book ADD COLUMN pages INTEGER
-- name: alter table, drop  expect: refused
ALTER TABLE book DROP COLUMN price
-- name: reindex  expect: refused
REINDEX
-- name: reindex a table  expect: refused
REINDEX book
-- name: analyze  expect: refused
ANALYZE
-- name: analyze a table  expect: refused
ANALYZE book
-- name: vacuum  expect: refused
VACUUM
-- name: vacuum into  expect: refused
VACUUM INTO '$FOLDER/copy.sqlite'
-- name: grant of another system  expect: refused
GRANT ALL ON book TO PUBLIC
-- name: with create  expect: refused
WITH a AS (SELECT 1) CREATE TABLE x AS SELECT * FROM a
