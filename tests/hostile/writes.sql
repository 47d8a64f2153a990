-- name: insert  expect: refused
INSERT INTO book VALUES (99, 'x', 1.0)
-- name: insert select  expect: refused
INSERT INTO book SELECT id + 1000, title, price FROM book
-- name: insert or replace  expect: refused
INSERT OR REPLACE INTO book VALUES (1, 'gone', 0)
-- name: insert on conflict  expect: refused
INSERT INTO book VALUES (1, 'x', 1) ON CONFLICT (id) DO UPDATE SET title = 'gone'
-- name: insert returning  expect: refused
INSERT INTO book VALUES (99, 'x', 1.0) RETURNING *
-- name: insert default values  expect: refused
INSERT INTO author DEFAULT VALUES
-- name: replace  expect: refused
REPLACE INTO book VALUES (1, 'gone', 0)
-- name: update  expect: refused
UPDATE book SET price = 0
-- name: update from  expect: refused
UPDATE book SET title = a.name FROM author a WHERE a.id = book.id
-- name: update or ignore  expect: refused
UPDATE OR IGNORE book SET id = 1
-- name: update returning  expect: refused
UPDATE book SET price = 0 WHERE id = 1 RETURNING id, price
-- name: delete  expect: refused
DELETE FROM book
-- name: delete in lower case  expect: refused
delete from book where id = 1
-- name: delete after a comment  expect: refused
/* SELECT * FROM book */ DELETE FROM book
-- name: delete after a line comment  expect: refused
-- SELECT
DELETE FROM book
-- name: delete with limit  expect: refused
DELETE FROM book ORDER BY id LIMIT 1
-- name: delete returning  expect: refused
DELETE FROM book RETURNING *
-- name: delete in parentheses  expect: refused
(DELETE FROM book)
-- name: with insert  expect: refused
WITH a(x) AS (VALUES (1)) INSERT INTO book SELECT x, x, x FROM a
-- name: with update  expect: refused
WITH a AS (SELECT 1) UPDATE book SET price = 0
-- name: with delete  expect: refused
WITH a AS (SELECT id FROM book) DELETE FROM book WHERE id IN (SELECT id FROM a)
-- name: with delete, the name in quotes  expect: refused
WITH "select" AS (SELECT 1) DELETE FROM book
-- name: with delete, two tables  expect: refused
WITH a AS (SELECT 1), b AS NOT MATERIALIZED (SELECT ')' AS c) DELETE FROM book
-- name: with replace  expect: refused
WITH a AS (SELECT 1) REPLACE INTO book VALUES (1, 'gone', 0)
-- name: recursive with insert  expect: refused
WITH RECURSIVE n(x) AS (SELECT 100 UNION ALL SELECT x + 1 FROM n LIMIT 9) INSERT INTO book SELECT x, x, x FROM n
-- name: write inside a subquery  expect: error
SELECT * FROM (DELETE FROM book RETURNING id)
-- name: write inside a common table  expect: error
WITH gone AS (DELETE FROM book RETURNING id) SELECT * FROM gone
-- name: insert inside an expression  expect: error
SELECT (INSERT INTO book VALUES (99, 'x', 1) RETURNING id)
-- name: select into  expect: error
SELECT * INTO copy FROM book
-- name: select into outfile  expect: error
SELECT * FROM book INTO OUTFILE '$FOLDER/out.txt'
-- name: select for update  expect: error
SELECT * FROM book FOR UPDATE
-- name: schema table  expect: refused
UPDATE sqlite_master SET sql = '' WHERE name = 'book'
-- name: schema table deleted  expect: refused
DELETE FROM sqlite_schema
-- name: statistics table  expect: refused
INSERT INTO sqlite_stat1 VALUES ('book', NULL, '1')
-- name: through a view  expect: refused
INSERT INTO listing VALUES ('x', 1)
-- name: full-text command  expect: refused
INSERT INTO page(page) VALUES ('rebuild')
-- name: full-text optimize as a function  expect: error or refused
SELECT optimize(leaf) FROM leaf LIMIT 1
-- name: full-text shadow table  expect: refused
UPDATE page_data SET block = x'00'
-- name: begin  expect: refused
BEGIN IMMEDIATE
-- name: begin exclusive  expect: refused
BEGIN EXCLUSIVE TRANSACTION
-- name: commit  expect: refused
COMMIT
-- name: end  expect: refused
END
-- name: rollback  expect: refused
ROLLBACK
-- name: savepoint  expect: refused
SAVEPOINT a
-- name: release  expect: refused
RELEASE a
-- name: copy of another system  expect: refused
COPY book TO '$FOLDER/out.csv'
-- name: merge of another system  expect: refused
MERGE INTO book USING author ON book.id = author.id WHEN MATCHED THEN DELETE
-- name: truncate of another system  expect: refused
TRUNCATE TABLE book
-- name: lock of another system  expect: refused
LOCK TABLES book WRITE
