-- name: attach a file  expect: refused
ATTACH '$FOLDER/other.sqlite' AS x
-- name: attach database  expect: refused
ATTACH DATABASE '$FOLDER/other.sqlite' AS x
-- name: attach a file that is not there  expect: refused
ATTACH DATABASE '$FOLDER/made.sqlite' AS x
-- name: attach memory  expect: refused
ATTACH ':memory:' AS x
-- name: attach the nameless file  expect: refused
ATTACH '' AS x
-- name: attach by URI  expect: refused
ATTACH 'file:$FOLDER/other.sqlite?mode=rwc' AS x
-- name: attach by URI with another file system  expect: refused
ATTACH 'file:$FOLDER/other.sqlite?vfs=unix-none&nolock=1' AS x
-- name: attach an expression  expect: refused
ATTACH (SELECT '$FOLDER/' || 'other.sqlite') AS x
-- name: attach with a key  expect: refused
ATTACH '$FOLDER/other.sqlite' AS x KEY 'k'
-- name: attach a device  expect: refused
ATTACH '/dev/zero' AS x
-- name: attach in a comment's shadow  expect: refused
/*!SELECT*/ ATTACH '$FOLDER/other.sqlite' AS x
-- name: attach after a query  expect: refused
SELECT 1; ATTACH '$FOLDER/other.sqlite' AS x
-- name: attach after with  expect: refused
WITH a AS (SELECT 1) ATTACH '$FOLDER/other.sqlite' AS x
-- name: attach as a function  expect: error or refused
SELECT sqlite_attach('$FOLDER/other.sqlite', 'x', '')
-- name: detach as a function  expect: error or refused
SELECT sqlite_detach('main')
-- name: detach  expect: refused
DETACH main
-- name: detach temp  expect: refused
DETACH DATABASE temp
-- name: a file as a schema  expect: error
SELECT * FROM "$FOLDER/other.sqlite".secret
-- name: a file as a table  expect: error
SELECT * FROM '$FOLDER/other.sqlite'
-- name: use of another system  expect: refused
USE other
