-- Which films released since 2000 still have no rating?
SELECT title FROM film WHERE rating IS NULL AND release_date >= '2000-01-01';

-- How many seats do our Milan theatres have altogether?
SELECT SUM(seats) FROM theatre WHERE city = 'Milan';

-- Black-and-white thrillers and westerns, titles only.
SELECT title FROM film WHERE genre IN ('thriller', 'western') AND in_colour = 0;

-- Tell me the name and the year of opening of every house that is older than 1940, oldest first and alphabetically within a year.
-- evidence: older than 1940 means opened before 1940
SELECT name, opened FROM theatre WHERE opened < 1940 ORDER BY opened, name;

-- What kinds of parts do actors play with us?
SELECT DISTINCT part FROM appearance;

-- Who are the actors born in the sixties?
SELECT name FROM actor WHERE birth_year BETWEEN 1960 AND 1969;

-- When was the very first screening we have on record, and when the last?
SELECT MIN(show_date), MAX(show_date) FROM screening;

-- Any films with a Fisherman or a Captain in the title?
SELECT title FROM film WHERE title LIKE '%Fisherman%' OR title LIKE '%Captain%';

-- Theatres that go without a manager: name, city and seats, the biggest house first and equal ones by name.
SELECT name, city, seats FROM theatre WHERE manager IS NULL ORDER BY seats DESC, name;

-- I'd like the average running time of Falcon Films productions by genre, rounded to whole minutes.
SELECT genre, ROUND(AVG(minutes)) FROM film WHERE studio = 'Falcon Films' GROUP BY genre;

-- Box office takings per ticket type, please.
-- evidence: takings are the number of tickets times the unit price
SELECT ticket, SUM(tickets * "unit price") FROM sale GROUP BY ticket;

-- Give the codes of all late night shows of horror films.
SELECT s.code FROM screening AS s INNER JOIN film AS f ON f.film_id = s.film_id WHERE s.slot = 'late night' AND f.genre = 'horror';

-- For how many films of each studio did we never arrange a single screening?
SELECT f.studio, COUNT(*) FROM film AS f LEFT JOIN screening AS s ON s.film_id = f.film_id WHERE s.screening_id IS NULL GROUP BY f.studio;

-- Top five cities by number of screenings, the busiest first, with the number; break ties by city name.
SELECT t.city, COUNT(*) AS screenings FROM theatre AS t JOIN screening AS s ON s.theatre_id = t.theatre_id GROUP BY t.city ORDER BY screenings DESC, t.city LIMIT 5;

-- We need actors with range: who has had both a lead part and a voice part?
SELECT name FROM actor WHERE actor_id IN (SELECT actor_id FROM appearance WHERE part = 'lead' INTERSECT SELECT actor_id FROM appearance WHERE part = 'voice');

-- How many tickets were sold through each channel? Count the sales without a channel under 'unknown'.
SELECT COALESCE(channel, 'unknown'), SUM(tickets) FROM sale GROUP BY COALESCE(channel, 'unknown');

-- Which Japanese actors can be seen in a western?
SELECT DISTINCT a.name FROM actor AS a JOIN appearance AS p ON p.actor_id = a.actor_id JOIN film AS f ON f.film_id = p.film_id WHERE a.country = 'Japan' AND f.genre = 'western';

-- Find the best rated film of all, or the films if several share the top mark.
SELECT title FROM film WHERE rating = (SELECT MAX(rating) FROM film);

-- Which managers look after more than one theatre, when the spelling of capitals is ignored? Names in lower case with the number of houses.
SELECT LOWER(manager), COUNT(*) FROM theatre WHERE manager IS NOT NULL GROUP BY LOWER(manager) HAVING COUNT(*) > 1;

-- Which two actors share at least three films? Show each pair once, the lower actor number first, and the number of films.
SELECT a.name, b.name, COUNT(*) FROM appearance AS p JOIN appearance AS o ON o.film_id = p.film_id AND p.actor_id < o.actor_id JOIN actor AS a ON a.actor_id = p.actor_id JOIN actor AS b ON b.actor_id = o.actor_id GROUP BY p.actor_id, o.actor_id, a.name, b.name HAVING COUNT(*) >= 3;

-- Screenings per weekday against the weekend: how many of each?
-- evidence: Saturday and Sunday are the weekend; call the groups 'weekend' and 'weekday'
SELECT CASE WHEN strftime('%w', show_date) IN ('0', '6') THEN 'weekend' ELSE 'weekday' END AS part_of_week, COUNT(*) FROM screening GROUP BY part_of_week;

-- What are the films called that run at least 40 minutes longer than the average musical?
SELECT title FROM film WHERE minutes >= 40 + (SELECT AVG(minutes) FROM film WHERE genre = 'musical');

-- Show each studio's share of all films as a percentage with one decimal.
SELECT studio, ROUND(100.0 * COUNT(*) / (SELECT COUNT(*) FROM film), 1) FROM film GROUP BY studio;

-- For every city, what is the biggest theatre? City, name and seats, with ties kept.
SELECT t.city, t.name, t.seats FROM theatre AS t WHERE t.seats = (SELECT MAX(o.seats) FROM theatre AS o WHERE o.city = t.city);

-- Subtitled screenings in Hamburg or Oslo: theatre, film title and date, ordered by date and then by screening code.
SELECT t.name, f.title, s.show_date FROM screening AS s JOIN theatre AS t ON t.theatre_id = s.theatre_id JOIN film AS f ON f.film_id = s.film_id WHERE s.subtitles IS NOT NULL AND t.city IN ('Hamburg', 'Oslo') ORDER BY s.show_date, s.code;

-- Which screenings went well, in the sense that more tickets were sold than a tenth of the theatre's seats? Code and tickets sold.
SELECT s.code, SUM(x.tickets) FROM sale AS x JOIN screening AS s ON s.screening_id = x.screening_id JOIN theatre AS t ON t.theatre_id = s.theatre_id GROUP BY s.screening_id, s.code, t.seats HAVING SUM(x.tickets) > t.seats / 10.0;

-- Walk me through 2024: monthly takings and the change from the month before, in order (nothing to compare the first month with).
-- evidence: takings are tickets times unit price by date of sale; months are written 01 to 12 and those without sales are left out
WITH monthly AS (SELECT strftime('%m', sold_on) AS month, SUM(tickets * "unit price") AS takings FROM sale WHERE strftime('%Y', sold_on) = '2024' GROUP BY month) SELECT month, takings, takings - LAG(takings) OVER (ORDER BY month) FROM monthly ORDER BY month;

-- Houses that put on morning shows in 2023 but nothing late at night that year, please.
SELECT t.name FROM theatre AS t JOIN screening AS s ON s.theatre_id = t.theatre_id WHERE s.slot = 'morning' AND s.show_date LIKE '2023%' EXCEPT SELECT t.name FROM theatre AS t JOIN screening AS s ON s.theatre_id = t.theatre_id WHERE s.slot = 'late night' AND s.show_date LIKE '2023%';

-- Of all dramas with a cast on record, take the longest (or all of that length): who plays in it, and in which part?
SELECT a.name, p.part FROM actor AS a JOIN appearance AS p ON p.actor_id = a.actor_id JOIN film AS f ON f.film_id = p.film_id WHERE f.genre = 'drama' AND f.minutes = (SELECT MAX(o.minutes) FROM film AS o WHERE o.genre = 'drama' AND o.film_id IN (SELECT film_id FROM appearance));

-- Per genre, who are the three actors with the most scenes? Genre, actor and total scenes; equal totals share a place.
WITH totals AS (SELECT f.genre, a.actor_id, a.name, SUM(p.scenes) AS scenes FROM appearance AS p JOIN film AS f ON f.film_id = p.film_id JOIN actor AS a ON a.actor_id = p.actor_id GROUP BY f.genre, a.actor_id, a.name) SELECT genre, name, scenes FROM (SELECT genre, name, scenes, RANK() OVER (PARTITION BY genre ORDER BY scenes DESC) AS place FROM totals) AS ranked WHERE place <= 3;
