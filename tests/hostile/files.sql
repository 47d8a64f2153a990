-- name: read a file  expect: error or refused
SELECT readfile('/etc/passwd')
-- name: write a file  expect: error or refused
SELECT writefile('$FOLDER/written.txt', 'x')
-- name: write a file for each row  expect: error or refused
SELECT writefile('$FOLDER/' || id, title) FROM book
-- name: edit a file  expect: error or refused
SELECT edit('x', 'touch $FOLDER/touched')
-- name: list a folder  expect: error or refused
SELECT name FROM fsdir('/')
-- name: mode of a file  expect: error or refused
SELECT lsmode(1)
-- name: open an archive  expect: error or refused
SELECT * FROM zipfile('$FOLDER/x.zip')
-- name: comma-separated file  expect: error or refused
SELECT * FROM csv('/etc/passwd')
-- name: file as a table of another system  expect: error
SELECT * FROM '/etc/passwd'
-- name: read csv of another system  expect: error or refused
SELECT * FROM read_csv_auto('/etc/passwd')
-- name: read text of another system  expect: error or refused
SELECT * FROM read_text('/etc/passwd')
-- name: load file of another system  expect: error or refused
SELECT load_file('/etc/passwd')
-- name: read file of another system  expect: error or refused
SELECT pg_read_file('/etc/passwd')
-- name: environment of another system  expect: error or refused
SELECT getenv('HOME')
-- name: address of another system  expect: error or refused
SELECT * FROM read_parquet('https://example.org/x.parquet')
-- name: sleep of another system  expect: error or refused
SELECT sleep(100)
-- name: benchmark of another system  expect: error or refused
SELECT benchmark(1000000000, 1)
-- name: evaluate  expect: error or refused
SELECT eval('DELETE FROM book')
-- name: pages of the file  expect: error or refused
SELECT data FROM sqlite_dbpage
-- name: a line in SQLite's log, which goes nowhere  expect: ok
SELECT sqlite_log(1, 'x')
-- name: serialise of another system  expect: error or refused
SELECT sqlite_serialize('main')
-- name: random numbers are allowed  expect: ok
SELECT length(randomblob(16))
-- name: the schema may be read  expect: ok
SELECT name, sql FROM sqlite_master ORDER BY name
