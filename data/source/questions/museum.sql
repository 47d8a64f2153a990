-- What does it cost to get into 'Journeys of Paris'?
SELECT ticket_price FROM exhibition WHERE title = 'Journeys of Paris';

-- Count the bronze works.
SELECT COUNT(*) FROM artwork WHERE medium = 'bronze';

-- names of all Cubism artists
SELECT name FROM artist WHERE movement = 'Cubism';

-- Which exhibitions are free of charge, and in which gallery are they?
-- evidence: free of charge means ticket_price = 0
SELECT title, gallery FROM exhibition WHERE ticket_price = 0;

-- I'm curious: how tall is the tallest thing we own?
SELECT MAX(height) FROM artwork;

-- Please list the permanent exhibitions.
-- evidence: a permanent exhibition has no closed_on
SELECT title FROM exhibition WHERE closed_on IS NULL;

-- Visitors whose first name is Omar
-- evidence: name holds the first name, a space and the last name
SELECT name FROM visitor WHERE name LIKE 'Omar %';

-- How many donations came in by each payment method?
SELECT method, COUNT(*) FROM donation GROUP BY method;

-- Oldest three artists by year of birth, name and year; same year: alphabetical.
SELECT name, birth_year FROM artist ORDER BY birth_year, name LIMIT 3;

-- Tell me everything we know about money from cash: smallest, average and largest gift.
SELECT MIN(amount), AVG(amount), MAX(amount) FROM donation WHERE method = 'cash';

-- Who painted or made the works currently on display? No repeats.
SELECT DISTINCT artist.name FROM artist JOIN artwork ON artwork.artist_id = artist.artist_id WHERE artwork.on_display = 1;

-- Works by Norwegian artists: title and artist
SELECT artwork.title, artist.name FROM artwork JOIN artist ON artwork.artist_id = artist.artist_id WHERE artist.country = 'Norway';

-- Which artists are in our books without a single artwork?
SELECT name FROM artist WHERE artist_id NOT IN (SELECT artist_id FROM artwork);

-- The director asks for all shows that Omar Dahl curated. Mind that his name is typed in all sorts of case.
SELECT title FROM exhibition WHERE LOWER(curator) = 'omar dahl';

-- Media whose works are worth more than 45,000 on average
SELECT medium FROM artwork GROUP BY medium HAVING AVG(price) > 45000;

-- For every exhibition, how many pieces did it show? Include the ones that showed nothing, and start with the largest (equal counts by title).
SELECT exhibition.title, COUNT(exhibition_artwork.artwork_id) FROM exhibition LEFT JOIN exhibition_artwork ON exhibition_artwork.exhibition_id = exhibition.exhibition_id GROUP BY exhibition.exhibition_id, exhibition.title ORDER BY COUNT(exhibition_artwork.artwork_id) DESC, exhibition.title;

-- Give the titles of marble pieces that were part of an exhibition in the East Wing.
SELECT DISTINCT artwork.title FROM artwork JOIN exhibition_artwork ON exhibition_artwork.artwork_id = artwork.artwork_id JOIN exhibition ON exhibition_artwork.exhibition_id = exhibition.exhibition_id WHERE artwork.medium = 'marble' AND exhibition.gallery = 'East Wing';

-- Donors who gave more than 500 in total, with the sum
SELECT visitor.name, SUM(donation.amount) FROM visitor JOIN donation ON donation.visitor_id = visitor.visitor_id GROUP BY visitor.visitor_id, visitor.name HAVING SUM(donation.amount) > 500;

-- how old did our late artists get? name and age at death
-- evidence: age at death = death_year - birth_year; artists without a death_year are alive
SELECT name, death_year - birth_year FROM artist WHERE death_year IS NOT NULL;

-- Who works in oil but never touched watercolor, judging by what we own?
SELECT artist.name FROM artist JOIN artwork ON artwork.artist_id = artist.artist_id WHERE artwork.medium = 'oil' EXCEPT SELECT artist.name FROM artist JOIN artwork ON artwork.artist_id = artist.artist_id WHERE artwork.medium = 'watercolor';

-- Members and students aside, who has joined us in 2020?
SELECT name FROM visitor WHERE ticket NOT IN ('member', 'student') AND strftime('%Y', joined_on) = '2020';

-- Find pieces priced above the average of their own medium.
SELECT title FROM artwork WHERE price > (SELECT AVG(other.price) FROM artwork AS other WHERE other.medium = artwork.medium);

-- By month of the year, count the openings; write the month as two digits and keep calendar order.
SELECT strftime('%m', opened_on), COUNT(*) FROM exhibition GROUP BY strftime('%m', opened_on) ORDER BY strftime('%m', opened_on);

-- Label each priced artwork 'cheap' under 10,000, 'dear' above 100,000 and 'middle' otherwise, and say how many fall under each label.
WITH labeled AS (SELECT CASE WHEN price < 10000 THEN 'cheap' WHEN price > 100000 THEN 'dear' ELSE 'middle' END AS label FROM artwork WHERE price IS NOT NULL) SELECT label, COUNT(*) FROM labeled GROUP BY label;

-- Our most generous cities: total donations per city of the donor, upper and lower case being the same city (print it in capitals), only totals of 1,000 or more.
SELECT UPPER(visitor.city), SUM(donation.amount) FROM visitor JOIN donation ON donation.visitor_id = visitor.visitor_id GROUP BY UPPER(visitor.city) HAVING SUM(donation.amount) >= 1000;

-- Number each visitor's donations from the first to the last. I need the visitor, the date, the amount and the number; on one day the lower donation number comes first.
SELECT visitor.name, donation.given_on, donation.amount, ROW_NUMBER() OVER (PARTITION BY donation.visitor_id ORDER BY donation.given_on, donation.donation_id) FROM donation JOIN visitor ON donation.visitor_id = visitor.visitor_id;

-- Were any works shown in three or more different exhibitions? Titles and how often.
SELECT artwork.title, COUNT(DISTINCT exhibition_artwork.exhibition_id) FROM artwork JOIN exhibition_artwork ON exhibition_artwork.artwork_id = artwork.artwork_id GROUP BY artwork.artwork_id, artwork.title HAVING COUNT(DISTINCT exhibition_artwork.exhibition_id) >= 3;

-- Which show brought in the most donations in money? If several did equally well, all of them.
WITH income AS (SELECT exhibition_id, SUM(amount) AS total FROM donation WHERE exhibition_id IS NOT NULL GROUP BY exhibition_id) SELECT exhibition.title FROM exhibition JOIN income ON income.exhibition_id = exhibition.exhibition_id WHERE income.total = (SELECT MAX(total) FROM income);

-- Pair up artists of the same movement born in the same year, each pair once, the lower artist number first.
SELECT one.name, two.name FROM artist AS one JOIN artist AS two ON one.movement = two.movement AND one.birth_year = two.birth_year AND one.artist_id < two.artist_id;

-- Show me visitors with a birth year of 2000 or later together with everyone who ever gave 1000 at once - one list of names, sorted.
SELECT name FROM visitor WHERE birth_year >= 2000 UNION SELECT visitor.name FROM visitor JOIN donation ON donation.visitor_id = visitor.visitor_id WHERE donation.amount = 1000 ORDER BY name;
