-- name: writable schema  expect: refused
PRAGMA writable_schema = 1
-- name: query only off  expect: refused
PRAGMA query_only = 0
-- name: hard heap limit  expect: refused
PRAGMA hard_heap_limit = 0
-- name: soft heap limit  expect: refused
PRAGMA soft_heap_limit = 0
-- name: journal mode  expect: refused
PRAGMA journal_mode = WAL
-- name: journal mode delete  expect: refused
PRAGMA main.journal_mode = DELETE
-- name: user version  expect: refused
PRAGMA user_version = 7
-- name: application id  expect: refused
PRAGMA application_id = 7
-- name: temp store on disk  expect: refused
PRAGMA temp_store = FILE
-- name: temp store directory  expect: refused
PRAGMA temp_store_directory = '$FOLDER'
-- name: cache size  expect: refused
PRAGMA cache_size = 1000000000
-- name: cache spill  expect: refused
PRAGMA cache_spill = 0
-- name: memory map  expect: refused
PRAGMA mmap_size = 268435456
-- name: page size  expect: refused
PRAGMA page_size = 512
-- name: encoding  expect: refused
PRAGMA encoding = 'UTF-16'
-- name: foreign keys  expect: refused
PRAGMA foreign_keys = 0
-- name: case of like  expect: refused
PRAGMA case_sensitive_like = 1
-- name: trusted schema  expect: refused
PRAGMA trusted_schema = 1
-- name: defensive off by schema version  expect: refused
PRAGMA schema_version = 1
-- name: threads  expect: refused
PRAGMA threads = 8
-- name: busy timeout  expect: refused
PRAGMA busy_timeout = 100000
-- name: locking mode  expect: refused
PRAGMA locking_mode = EXCLUSIVE
-- name: checkpoint  expect: refused
PRAGMA wal_checkpoint(TRUNCATE)
-- name: vacuum  expect: refused
PRAGMA incremental_vacuum(100)
-- name: optimize  expect: refused
PRAGMA optimize
-- name: shrink memory  expect: refused
PRAGMA shrink_memory
-- name: integrity check  expect: refused
PRAGMA integrity_check
-- name: list of databases  expect: refused
PRAGMA database_list
-- name: table info  expect: refused
PRAGMA table_info(book)
-- name: pragma after a query  expect: refused
SELECT 1; PRAGMA writable_schema = 1
-- name: table-valued table info  expect: refused
SELECT * FROM pragma_table_info('book')
-- name: table-valued list of databases  expect: refused
SELECT file FROM pragma_database_list
-- name: table-valued user version  expect: refused
SELECT * FROM pragma_user_version
-- name: table-valued compile options  expect: refused
SELECT * FROM pragma_compile_options
-- name: table-valued integrity check in a subquery  expect: refused
SELECT count(*) FROM book WHERE EXISTS (SELECT * FROM pragma_integrity_check)
-- name: table-valued list of functions  expect: refused or error
SELECT name FROM pragma_function_list
-- name: set of another system  expect: refused
SET max_heap_table_size = 1000000000
-- name: show of another system  expect: refused
SHOW TABLES
-- name: describe of another system  expect: refused
DESCRIBE book
-- name: explain  expect: refused
EXPLAIN SELECT * FROM book
-- name: explain query plan  expect: refused
EXPLAIN QUERY PLAN SELECT * FROM book
