-- name: semicolon in full width  expect: error
SELECT 1\uff1b DROP TABLE book
-- name: Greek question mark, which looks like a semicolon  expect: error
SELECT 1\u037e DROP TABLE book
-- name: Cyrillic letters in the verb  expect: refused
S\u0415L\u0415\u0421T 1
-- name: Cyrillic letters in drop  expect: refused
DR\u041eP TABLE book
-- name: long s in the verb  expect: error or refused
ſELECT 1
-- name: letters in full width  expect: refused
ＤＥＬＥＴＥ ＦＲＯＭ book
-- name: full-width parenthesis  expect: error
SELECT count（*） FROM book
-- name: curly quotes  expect: error
SELECT ‘a’; -- then
-- name: no-break space  expect: error or refused
SELECT\u00a01
-- name: zero-width space in the verb  expect: refused
SEL\u200bECT 1
-- name: zero-width joiner before drop  expect: refused
\u200dDROP TABLE book
-- name: ideographic space  expect: error or refused
SELECT\u30001
-- name: byte order mark before a query  expect: ok or error
\ufeffSELECT 1
-- name: byte order mark before a change  expect: refused
\ufeffDELETE FROM book
-- name: right-to-left override  expect: error
SELECT \u202ekoob MORF ETELED
-- name: right-to-left override in a text  expect: ok
SELECT '\u202e' || title FROM book LIMIT 1
-- name: line separator does not end a comment  expect: ok
SELECT 1 -- one\u2028; DELETE FROM book
-- name: next line does not end a comment  expect: ok
SELECT 1 -- one\u0085; DELETE FROM book
-- name: vertical tab  expect: error or refused
SELECT\u000b1
-- name: form feed is white space  expect: ok
SELECT\u000c1
-- name: backspace  expect: error or refused
SELECT 1\u0008DELETE FROM book
-- name: bell  expect: error
SELECT \u0007 1
-- name: combining marks  expect: ok
SELECT 'é\u0302\u0303\u0304\u0305\u0306\u0307\u0308\u0309\u030a' AS x
-- name: emoji as a name  expect: ok
SELECT 1 AS "📚🔥👩\u200d👩\u200d👧"
-- name: emoji as a bare name  expect: ok
SELECT 1 AS 📚
-- name: private use  expect: ok
SELECT '\ue000\uf8ff'
-- name: no character  expect: ok
SELECT length('\uffff')
-- name: highest code point  expect: ok
SELECT unicode(char(1114111))
-- name: char beyond the highest  expect: ok
SELECT char(1114112, -1, 9223372036854775807)
-- name: half a surrogate by char  expect: ok
SELECT char(55296), char(57343)
-- name: NUL by char  expect: ok
SELECT 'a' || char(0) || 'b'
-- name: bytes that are no text  expect: ok
SELECT CAST(x'ff80c0af' AS TEXT)
-- name: overlong slash  expect: ok
SELECT CAST(x'c0af' AS TEXT) = '/'
-- name: bytes that are no text, in upper case  expect: ok
SELECT upper(CAST(x'ffeec3' AS TEXT)), length(CAST(x'e28280e2' AS TEXT))
-- name: bytes that are no text, as a pattern  expect: ok
SELECT CAST(x'ff' AS TEXT) LIKE CAST(x'25ff' AS TEXT)
-- name: bytes that are no text, as JSON  expect: ok or error
SELECT json_valid(CAST(x'22ff22' AS TEXT))
-- name: UTF-16 cast  expect: ok
SELECT CAST(CAST('a' AS BLOB) AS TEXT)
-- name: Turkish dotless i  expect: ok
SELECT upper('ı'), lower('İ'), 'ı' LIKE 'I'
-- name: sharp s  expect: ok
SELECT upper('ß') = 'SS'
-- name: unknown collation  expect: error
SELECT title FROM book ORDER BY title COLLATE utf8_general_ci
-- name: NUL in the text  expect: refused
SELECT 1\u0000; DROP TABLE book
-- name: half a surrogate pair  expect: refused
SELECT '\ud800'
-- name: surrogates the wrong way round  expect: refused
SELECT '\udc00\ud800'
