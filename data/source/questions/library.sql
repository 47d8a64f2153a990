-- Which members have never borrowed anything?
SELECT name FROM member WHERE NOT EXISTS (SELECT 1 FROM loan WHERE loan.member_id = member.member_id);

-- How many French-language books are on our shelves?
SELECT COUNT(*) FROM book WHERE language = 'French';

-- I'm weeding the romance shelf: give me the titles that are out of print.
SELECT title FROM book WHERE genre = 'romance' AND out_of_print = 1;

-- What year does our oldest book date from?
SELECT MIN(year) FROM book;

-- Names and phone numbers of everybody in Lisbon with a family plan, please.
SELECT name, phone FROM member WHERE city = 'Lisbon' AND plan = 'family';

-- Who didn't leave us a phone number?
SELECT name FROM member WHERE phone IS NULL;

-- Author headcount by country, largest first, countries with equal counts in alphabetical order.
SELECT country, COUNT(*) FROM author GROUP BY country ORDER BY COUNT(*) DESC, country;

-- What are the five thickest books in the house? Title and page count, thickest on top, equal ones by title.
SELECT title, pages FROM book ORDER BY pages DESC, title LIMIT 5;

-- What does a mystery cost on average, to the cent?
SELECT ROUND(AVG(price), 2) FROM book WHERE genre = 'mystery';

-- Our publisher field was typed carelessly. Which different publishers are there if upper and lower case don't count? Show them in lower case.
SELECT DISTINCT LOWER(publisher) FROM book;

-- Find every title beginning with "Letters from".
SELECT title FROM book WHERE title LIKE 'Letters from %';

-- Month by month, how busy was the lending desk in 2023?
-- evidence: busy means the number of loans; months are written 01 to 12 and come in calendar order; months without loans are left out
SELECT strftime('%m', loan_date) AS month, COUNT(*) FROM loan WHERE strftime('%Y', loan_date) = '2023' GROUP BY month ORDER BY month;

-- Titles by Danish writers?
SELECT b.title FROM book AS b JOIN author AS a ON b.author_id = a.author_id WHERE a.country = 'Denmark';

-- Show the authors we hold more than five books by, with how many.
SELECT a.name, COUNT(*) FROM author AS a JOIN book AS b ON b.author_id = a.author_id GROUP BY a.author_id, a.name HAVING COUNT(*) > 5;

-- It would be good to know which Spanish books have sat on the shelf without a single loan.
SELECT b.title FROM book AS b LEFT JOIN loan AS l ON l.book_id = b.book_id WHERE b.language = 'Spanish' AND l.loan_id IS NULL;

-- How much has each branch taken in fines?
SELECT branch, COALESCE(SUM(fine), 0) FROM loan GROUP BY branch;

-- Looking for books that deal with both nature and art. What are their titles?
-- evidence: a book deals with a field when one of its subjects belongs to that field
SELECT b.title FROM book AS b JOIN book_subject AS bs ON bs.book_id = b.book_id JOIN subject AS s ON s.subject_id = bs.subject_id WHERE s.field = 'nature' INTERSECT SELECT b.title FROM book AS b JOIN book_subject AS bs ON bs.book_id = b.book_id JOIN subject AS s ON s.subject_id = bs.subject_id WHERE s.field = 'art';

-- Name the people who have used the Central branch but never the Riverside one.
SELECT name FROM member WHERE member_id IN (SELECT member_id FROM loan WHERE branch = 'Central') AND member_id NOT IN (SELECT member_id FROM loan WHERE branch = 'Riverside');

-- What percentage of all loans is still out? One decimal is enough.
-- evidence: a loan is still out when it has no return date
SELECT ROUND(100.0 * SUM(return_date IS NULL) / COUNT(*), 1) FROM loan;

-- Which books cost at least one and a half times the average for their genre? Title, genre and price.
SELECT b.title, b.genre, b.price FROM book AS b WHERE b.price >= 1.5 * (SELECT AVG(o.price) FROM book AS o WHERE o.genre = b.genre);

-- For each genre I want its longest book, or all of them where several share the record: genre, title, pages.
SELECT genre, title, pages FROM (SELECT genre, title, pages, RANK() OVER (PARTITION BY genre ORDER BY pages DESC) AS place FROM book WHERE pages IS NOT NULL) AS ranked WHERE place = 1;

-- On average, how many days do people keep a book before bringing it back, branch by branch? Round to one decimal.
SELECT branch, ROUND(AVG(julianday(return_date) - julianday(loan_date)), 1) FROM loan WHERE return_date IS NOT NULL GROUP BY branch;

-- Sort the stock into price bands and count each: 'low' under 20, 'middle' from 20 to under 40, 'high' from 40, 'unknown' if there is no price.
SELECT CASE WHEN price IS NULL THEN 'unknown' WHEN price < 20 THEN 'low' WHEN price < 40 THEN 'middle' ELSE 'high' END AS band, COUNT(*) FROM book GROUP BY band;

-- We're planning an evening for young readers and writers. One guest list, no repeats: authors born in 1980 or later, and everybody on the student plan.
SELECT name FROM author WHERE birth_year >= 1980 UNION SELECT name FROM member WHERE plan = 'student';

-- Which authors range most widely, with subjects from at least five different fields across their books?
SELECT a.name FROM author AS a JOIN book AS b ON b.author_id = a.author_id JOIN book_subject AS bs ON bs.book_id = b.book_id JOIN subject AS s ON s.subject_id = bs.subject_id GROUP BY a.author_id, a.name HAVING COUNT(DISTINCT s.field) >= 5;

-- List all Oslo members next to the date of their latest loan; leave the date blank for those who never took one.
SELECT m.name, MAX(l.loan_date) FROM member AS m LEFT JOIN loan AS l ON l.member_id = m.member_id WHERE m.city = 'Oslo' GROUP BY m.member_id, m.name;

-- Give me 2024's fines per month together with the running total for the year so far, in calendar order.
-- evidence: a fine belongs to the month of the return date, written 01 to 12
WITH monthly AS (SELECT strftime('%m', return_date) AS month, SUM(fine) AS fines FROM loan WHERE strftime('%Y', return_date) = '2024' GROUP BY month) SELECT month, fines, SUM(fines) OVER (ORDER BY month) FROM monthly ORDER BY month;

-- Are there subjects in our catalogue that no book is filed under?
SELECT name FROM subject WHERE subject_id NOT IN (SELECT subject_id FROM book_subject);

-- Who are our keenest borrowers? I mean the three highest loan counts, everybody who reaches one of them, with the count.
WITH counts AS (SELECT member_id, COUNT(*) AS loans FROM loan GROUP BY member_id), ranked AS (SELECT member_id, loans, DENSE_RANK() OVER (ORDER BY loans DESC) AS place FROM counts) SELECT m.name, r.loans FROM ranked AS r JOIN member AS m ON m.member_id = r.member_id WHERE r.place <= 3;

-- Spot pairs of different books that one author published in the same year: the author and both titles, the book with the lower number first.
SELECT a.name, one.title, two.title FROM book AS one JOIN book AS two ON two.author_id = one.author_id AND two.year = one.year AND one.book_id < two.book_id JOIN author AS a ON a.author_id = one.author_id;
