-- name: load extension  expect: refused
SELECT load_extension('x')
-- name: load extension with an entry point  expect: refused
SELECT load_extension('/lib/x86_64-linux-gnu/libc.so.6', 'system')
-- name: load extension in odd case  expect: refused
SELECT LoAd_ExTeNsIoN('x')
-- name: load extension in quotes  expect: refused
SELECT "load_extension"('x')
-- name: load extension in brackets  expect: refused
SELECT [load_extension]('x')
-- name: load extension where no row is  expect: refused
SELECT 1 FROM book WHERE id < 0 AND load_extension('x')
-- name: load extension in a common table that nothing reads  expect: refused or ok
WITH a AS (SELECT load_extension('x')) SELECT 1
-- name: load extension in an order  expect: refused
SELECT id FROM book ORDER BY load_extension(title)
-- name: load extension in a branch not taken  expect: refused
SELECT CASE WHEN 1 THEN 2 ELSE load_extension('x') END
-- name: load extension in values  expect: refused
VALUES (load_extension('x'))
-- name: load extension split by comments  expect: refused
SELECT load_extension/**/(/**/'x'/**/)
-- name: load of a shell  expect: refused
.load x
-- name: system of a shell  expect: refused
.system touch $FOLDER/touched
-- name: output of a shell  expect: refused
.output $FOLDER/out.txt
-- name: tokenizer pointer  expect: refused or error
SELECT fts3_tokenizer('simple', x'4141414141414141')
-- name: tokenizer pointer read  expect: refused or error
SELECT hex(fts3_tokenizer('simple'))
-- name: full-text pointer  expect: error or ok
SELECT fts5(x'4141414141414141')
-- name: full-text auxiliary outside a match  expect: error
SELECT bm25(book) FROM book
-- name: matchinfo of no match  expect: error or ok
SELECT matchinfo(leaf, 'pcx') FROM leaf
-- name: tree node of a forged blob  expect: error or ok
SELECT rtreenode(2, x'ffffffffffffffff')
-- name: tree depth of a forged blob  expect: error or ok
SELECT rtreedepth(x'00')
-- name: internal function for renaming  expect: error or refused
SELECT sqlite_rename_column('CREATE TABLE a(b)', 'table', 'a', 'main', 'a', 0, 'c', 0, 0)
-- name: internal function for dropping  expect: error or refused
SELECT sqlite_drop_column(0, 'CREATE TABLE a(b, c)', 1)
-- name: shared object of another system  expect: refused
INSTALL httpfs
-- name: extension of another system  expect: refused
LOAD 'x'
-- name: call of another system  expect: refused
CALL dbms_scheduler('x')
-- name: program of another system  expect: refused
EXEC xp_cmdshell 'touch $FOLDER/touched'
-- name: block of another system  expect: refused
DO $$ BEGIN PERFORM 1; END $$
