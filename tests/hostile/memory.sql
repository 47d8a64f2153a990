-- name: one large blob  expect: too_large
SELECT zeroblob(900000000)
-- name: a blob beyond SQLite's own bound  expect: too_large
SELECT zeroblob(9223372036854775807)
-- name: a blob of negative length  expect: ok
SELECT length(zeroblob(-1))
-- name: many blobs in a row  expect: too_large
SELECT zeroblob(4000000), zeroblob(4000000), zeroblob(4000000), zeroblob(4000000), zeroblob(4000000)
-- name: many blobs in rows  expect: too_large
SELECT zeroblob(1000000) FROM book
-- name: length of a blob that is never made  expect: ok or too_large
SELECT length(zeroblob(900000000))
-- name: text of a blob  expect: too_large
SELECT hex(zeroblob(100000000))
-- name: hex of hex  expect: too_large
SELECT hex(hex(hex(hex(hex(hex(zeroblob(1000000)))))))
-- name: random blob  expect: too_large
SELECT randomblob(1000000000)
-- name: random blobs, sorted  expect: too_large or timeout
SELECT length(x) FROM (SELECT randomblob(1000000) AS x FROM book a, book b ORDER BY x)
-- name: random blobs, distinct  expect: too_large or timeout
SELECT count(DISTINCT randomblob(100000)) FROM book a, book b, book c
-- name: padded text  expect: too_large or ok or error
SELECT printf('%1000000000d', 1)
-- name: padded text by a star  expect: too_large or ok or error
SELECT printf('%*d', 2000000000, 1)
-- name: padded decimals  expect: too_large or ok
SELECT printf('%.1000000000f', 1.0)
-- name: many padded texts  expect: too_large or ok or error
SELECT printf('%1000000d%1000000d%1000000d%1000000d%1000000d', 1, 2, 3, 4, 5)
-- name: format by its other name  expect: too_large or ok or error
SELECT format('%999999999s', 'x')
-- name: replaced into more  expect: too_large
SELECT replace(hex(zeroblob(100000)), '0', hex(zeroblob(1000)))
-- name: replaced twice  expect: too_large
SELECT replace(replace(replace(hex(zeroblob(10000)), '0', '0000000000'), '0', '0000000000'), '0', '00000000000000000000000')
-- name: joined texts  expect: too_large
SELECT group_concat(hex(zeroblob(10000))) FROM book a, book b
-- name: joined texts with a long separator  expect: too_large
SELECT group_concat('', hex(zeroblob(100000))) FROM book a, book b
-- name: doubled text  expect: too_large
WITH a(x) AS (SELECT hex(zeroblob(8000))), b(x) AS (SELECT x || x || x || x || x || x || x || x FROM a), c(x) AS (SELECT x || x || x || x || x || x || x || x FROM b), d(x) AS (SELECT x || x || x || x || x || x || x || x FROM c) SELECT length(x || x || x || x) FROM d
-- name: JSON array of all  expect: too_large or timeout
SELECT json_group_array(hex(zeroblob(1000))) FROM book a, book b, book c
-- name: JSON object of all  expect: too_large or timeout
SELECT json_group_object(a.id || '-' || b.id || '-' || c.id, hex(zeroblob(500))) FROM book a, book b, book c
-- name: JSON arrays in arrays  expect: too_large
SELECT json_array(x, x, x, x, x, x, x, x) FROM (SELECT json_array(hex(zeroblob(400000)), hex(zeroblob(400000)), hex(zeroblob(400000))) AS x)
-- name: JSON quoted again and again  expect: too_large or ok
SELECT length(json_quote(json_quote(json_quote(printf('%500000s', '"')))))
-- name: JSON tree of a long array  expect: too_large or timeout
SELECT count(*), max(length(t.fullkey)) FROM (SELECT '[' || replace(hex(zeroblob(400000)), '00', '[1,2],') || '0]' AS j) AS x, json_tree(x.j) AS t, book a
-- name: JSON nested deeper than allowed  expect: error or ok
SELECT json_valid(replace(hex(zeroblob(5000)), '00', '[') || replace(hex(zeroblob(5000)), '00', ']'))
-- name: JSON patched  expect: error or too_large or timeout or ok
SELECT length(json_patch('{"a":' || replace(hex(zeroblob(900)), '00', '{"a":') || '1' || replace(hex(zeroblob(900)), '00', '}') || '}', '{"a":1}'))
-- name: large sort  expect: too_large or timeout
SELECT length(x) FROM (SELECT hex(zeroblob(50000)) || a.id || b.id AS x FROM book a, book b, book c ORDER BY x DESC)
-- name: large temporary table  expect: too_large or timeout
WITH t AS MATERIALIZED (SELECT hex(zeroblob(50000)) AS x FROM book a, book b, book c) SELECT count(*) FROM t u, t v
-- name: large group  expect: too_large or timeout
SELECT count(*) FROM (SELECT hex(zeroblob(20000)) || a.id || '-' || b.id || '-' || c.id AS x FROM book a, book b, book c GROUP BY x)
-- name: large union  expect: too_large or timeout
SELECT count(*) FROM (SELECT randomblob(50000) FROM book a, book b, book c UNION SELECT randomblob(50000) FROM book a, book b)
-- name: large list of values  expect: too_large or timeout
SELECT 1 WHERE 'x' IN (SELECT hex(randomblob(50000)) FROM book a, book b, book c)
-- name: large window  expect: too_large or timeout
SELECT max(length(x)) FROM (SELECT group_concat(hex(zeroblob(5000))) OVER (ORDER BY a.id ROWS BETWEEN 50 PRECEDING AND CURRENT ROW) AS x FROM book a, book b, book c)
-- name: largest value of large values  expect: ok or too_large or timeout
SELECT length(max(hex(randomblob(1000000)))) FROM book a
-- name: substring of what is too large  expect: too_large
SELECT substr(zeroblob(900000000), 1, 1)
-- name: quote of a blob  expect: too_large
SELECT quote(zeroblob(9000000))
-- name: trimmed by every character  expect: timeout or ok or too_large
SELECT length(trim(hex(zeroblob(1900000)) || '1', hex(zeroblob(1900000)) || '2'))
-- name: sum beyond an integer  expect: error
SELECT sum(9223372036854775807) FROM book
-- name: negative of the smallest integer  expect: ok
SELECT -(-9223372036854775808), abs(-9223372036854775807)
-- name: absolute of the smallest integer  expect: error
SELECT abs(-9223372036854775808)
