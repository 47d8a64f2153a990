CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT, country TEXT, price REAL);
INSERT INTO author VALUES (1, 'Ada', 'UK', 9.5), (2, 'Bo', 'SE', 2.0), (3, 'Cy', 'UK', NULL), (4, 'ada', '', 9.5);
CREATE TABLE label (value TEXT, size INTEGER);
INSERT INTO label VALUES ('small', 1), ('large', 3);
CREATE TABLE digit (d INTEGER);
INSERT INTO digit VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
-- The letter A and a byte that is no UTF-8.
CREATE TABLE broken (t TEXT);
INSERT INTO broken VALUES (CAST(x'41ff' AS TEXT));
