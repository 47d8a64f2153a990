-- name: like with many signs  expect: ok or timeout
SELECT hex(zeroblob(20000)) LIKE '%0%0%0%0%0%0%0%0%0%0%0%0%0%0%0%0%1'
-- name: like with many gaps  expect: ok or timeout
SELECT hex(zeroblob(50000)) LIKE '%_0%_0%_0%_0%_0%_0%_0%_0%_0%_0%_0%_1'
-- name: like for every row  expect: ok or timeout
SELECT count(*) FROM book a, book b WHERE hex(zeroblob(3000)) || a.title LIKE '%0%0%0%0%0%0%0%0x%'
-- name: like with a pattern made of data  expect: ok or timeout
SELECT count(*) FROM book WHERE hex(zeroblob(20000)) LIKE replace(hex(zeroblob(20)), '0', '%0') || '1'
-- name: not like  expect: ok or timeout
SELECT hex(zeroblob(20000)) NOT LIKE '%0%0%0%0%0%0%0%0%0%0%0%0%0%0%0%0%1'
-- name: like with an escape  expect: ok or timeout
SELECT hex(zeroblob(20000)) LIKE '%0%0%0%0%0%0%0%0%0%0%0%0%0%0%0%0!%' ESCAPE '!'
-- name: like as a function  expect: ok or timeout
SELECT like('%0%0%0%0%0%0%0%0%0%0%0%0%0%0%0%0%1', hex(zeroblob(20000)))
-- name: glob with many stars  expect: ok or timeout
SELECT hex(zeroblob(20000)) GLOB '*0*0*0*0*0*0*0*0*0*0*0*0*0*0*0*0*1'
-- name: glob with many sets  expect: ok or timeout
SELECT hex(zeroblob(20000)) GLOB '*[0-9]*[0-9]*[0-9]*[0-9]*[0-9]*[0-9]*[0-9]*[0-9]*[A]'
-- name: glob with many gaps  expect: ok or timeout
SELECT hex(zeroblob(20000)) GLOB '*?0*?0*?0*?0*?0*?0*?0*?0*?0*?0*?1'
-- name: glob as a function  expect: ok or timeout
SELECT glob('*0*0*0*0*0*0*0*0*0*0*0*0*0*0*0*0*1', hex(zeroblob(20000)))
-- name: glob with an open set  expect: ok
SELECT 'a' GLOB '[', 'a' GLOB '[^', 'a' GLOB '[a-'
-- name: like beyond the longest pattern  expect: error
SELECT 'a' LIKE hex(zeroblob(50000))
-- name: like with a long pattern that nearly matches everywhere  expect: timeout
SELECT hex(zeroblob(1900000)) LIKE '%' || hex(zeroblob(24000)) || '1'
-- name: glob with a long pattern that nearly matches everywhere  expect: timeout
SELECT hex(zeroblob(1900000)) GLOB '*' || hex(zeroblob(24000)) || '1'
-- name: like with a long pattern of gaps  expect: timeout
SELECT hex(zeroblob(1900000)) LIKE '%0' || replace(hex(zeroblob(24000)), '0', '_') || '1'
-- name: long search in one call  expect: timeout
SELECT instr(hex(zeroblob(1900000)), hex(zeroblob(900000)) || '1')
-- name: long search for every row  expect: timeout
SELECT count(*) FROM book a, book b WHERE instr(hex(zeroblob(100000)), hex(zeroblob(40000)) || a.id)
-- name: long replacement that finds nothing  expect: timeout
SELECT length(replace(hex(zeroblob(1900000)), hex(zeroblob(900000)) || '1', 'x'))
-- name: regular expression, which SQLite has not  expect: error
SELECT title REGEXP '(a+)+$' FROM book
-- name: match without a full-text table  expect: error
SELECT title MATCH 'a' FROM book
-- name: full-text query of stars  expect: error
SELECT * FROM page WHERE page MATCH '* * *'
-- name: full-text query, nested  expect: error or ok or empty
SELECT * FROM page WHERE page MATCH '((((((((((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))))))))))'
-- name: full-text query of many nears  expect: error or ok or empty
SELECT * FROM leaf WHERE leaf MATCH 'a NEAR/9 b NEAR/9 c NEAR/9 d NEAR/9 e NEAR/9 f NEAR/9 g NEAR/9 h'
-- name: unicode like on long text  expect: ok or timeout
SELECT replace(hex(zeroblob(10000)), '0', 'é') LIKE '%é%é%é%é%é%é%é%é%é%é%é%é%é%z'
