-- name: two queries  expect: refused
SELECT 1; SELECT 2
-- name: query and drop  expect: refused
SELECT 1; DROP TABLE book
-- name: query and drop, hidden by a comment  expect: refused
SELECT 1 /* one statement */ ; DROP TABLE book --
-- name: query, and drop on a later line  expect: refused
SELECT 1 -- the end;
; DROP TABLE book
-- name: quote closed early  expect: refused
SELECT 'it''s'; DELETE FROM book; --'
-- name: classic injection  expect: refused
SELECT * FROM book WHERE title = ''; DROP TABLE book; -- '
-- name: two semicolons  expect: refused
SELECT 1;;
-- name: semicolon first  expect: refused
; SELECT 1
-- name: begin, change, commit  expect: refused
BEGIN; UPDATE book SET price = 0; COMMIT
-- name: pragma first  expect: refused
PRAGMA writable_schema = 1; SELECT 1
-- name: many queries  expect: refused
SELECT 1; SELECT 2; SELECT 3; SELECT 4; SELECT 5; SELECT 6; SELECT 7; SELECT 8
-- name: brackets around the semicolon, then one more  expect: refused
SELECT 1 AS [;]; DELETE FROM book
-- name: comment inside a quote  expect: refused
SELECT '/*'; DELETE FROM book; SELECT '*/'
-- name: quote inside a comment  expect: refused
SELECT 1 /* ' */; DELETE FROM book /* ' */
-- name: nested comment, which SQLite does not know  expect: refused
SELECT 1 /* /* */; DELETE FROM book /* */ */
-- name: line comment closed by a carriage return only  expect: ok
SELECT 1 -- one; DELETE FROM book
-- name: backslash does not escape  expect: refused
SELECT '\'; DELETE FROM book; --'
-- name: quote in double quotes  expect: refused
SELECT "'" ; DELETE FROM book ; SELECT "'"
-- name: go of another system  expect: error
SELECT 1 GO DROP TABLE book
-- name: union of a change  expect: error
SELECT id FROM book UNION DELETE FROM book
-- name: open quote  expect: refused
SELECT 'abc; DELETE FROM book
-- name: open comment  expect: ok
SELECT 1 /* ; DELETE FROM book
-- name: fence  expect: refused
```sql
SELECT 1; DELETE FROM book
```
-- name: prose before  expect: refused
Here you are: SELECT 1; DELETE FROM book
-- name: template  expect: error or refused
SELECT {column} FROM {table}
-- name: parameter  expect: error
SELECT * FROM book WHERE id = :id
-- name: question mark  expect: error
SELECT ?1
