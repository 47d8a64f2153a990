INSERT INTO author VALUES (5, 'Di', 'UK', 30.0);
