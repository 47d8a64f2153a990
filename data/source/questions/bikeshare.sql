-- When did Jana Farouk join?
SELECT joined_on FROM rider WHERE name = 'Jana Farouk';

-- total number of docks in the Harbor district
SELECT SUM(docks) FROM station WHERE district = 'Harbor';

-- Show covered stations: name and district.
SELECT name, district FROM station WHERE covered = 1;

-- How many of our bikes have no home station right now?
-- evidence: a bike without a home station has no station_id
SELECT COUNT(*) FROM bike WHERE station_id IS NULL;

-- What's the longest ride anybody ever took, in minutes?
SELECT MAX(minutes) FROM trip;

-- I want to see which mechanics we use, ignoring differences in upper and lower case (answer in lower case, and without blanks).
SELECT DISTINCT LOWER(mechanic) FROM repair WHERE mechanic IS NOT NULL;

-- Electric cargo bikes, nickname only
SELECT nickname FROM bike WHERE electric = 1 AND model = 'Cargo';

-- Six most expensive bikes, please. Nickname and price; the nickname decides when prices are equal.
SELECT nickname, price FROM bike ORDER BY price DESC, nickname LIMIT 6;

-- Number of riders on each plan, but leave out plans with fewer than 30 riders.
SELECT plan, COUNT(*) FROM rider GROUP BY plan HAVING COUNT(*) >= 30;

-- stations with 'Library' in the name
SELECT name FROM station WHERE name LIKE '%Library%';

-- Average ride length for every bike model
SELECT bike.model, AVG(trip.minutes) FROM bike JOIN trip ON trip.bike_id = bike.bike_id GROUP BY bike.model;

-- Who has ridden on a tandem? Each name once, alphabetically.
SELECT DISTINCT rider.name FROM rider JOIN trip ON trip.rider_id = rider.rider_id JOIN bike ON trip.bike_id = bike.bike_id WHERE bike.model = 'Tandem' ORDER BY rider.name;

-- Has any bike never been in the workshop?
SELECT nickname FROM bike WHERE bike_id NOT IN (SELECT bike_id FROM repair);

-- For trips of more than two hours: who rode, from which station and how long?
SELECT rider.name, station.name, trip.minutes FROM trip JOIN rider ON trip.rider_id = rider.rider_id JOIN station ON trip.start_station_id = station.station_id WHERE trip.minutes > 120;

-- Round trips: give start day and station for each ride that came back to where it began.
SELECT trip.started_on, station.name FROM trip JOIN station ON trip.start_station_id = station.station_id WHERE trip.end_station_id = trip.start_station_id;

-- List all stations with the number of bikes kept there, even if that is none.
SELECT station.name, COUNT(bike.bike_id) FROM station LEFT JOIN bike ON bike.station_id = station.station_id GROUP BY station.station_id, station.name;

-- Repair bill per part: what did we spend on each, most costly part at the top? Should two parts cost the same, order them by name.
SELECT part, SUM(cost) FROM repair GROUP BY part ORDER BY SUM(cost) DESC, part;

-- Riders who saved a station in Riverside as a favorite
SELECT DISTINCT rider.name FROM rider JOIN favorite ON favorite.rider_id = rider.rider_id JOIN station ON favorite.station_id = station.station_id WHERE station.district = 'Riverside';

-- Are there people older than 60 in 2025 among the students? Tell me their names and ages.
-- evidence: age in 2025 = 2025 - birth_year
SELECT name, 2025 - birth_year FROM rider WHERE plan = 'student' AND 2025 - birth_year > 60;

-- Call a trip of up to 15 minutes 'short', up to 60 'medium', anything else 'long'. How many of each are there?
SELECT CASE WHEN minutes <= 15 THEN 'short' WHEN minutes <= 60 THEN 'medium' ELSE 'long' END, COUNT(*) FROM trip GROUP BY CASE WHEN minutes <= 15 THEN 'short' WHEN minutes <= 60 THEN 'medium' ELSE 'long' END;

-- Find the riders whose total riding time beats 200 minutes, together with that time.
SELECT rider.name, SUM(trip.minutes) FROM rider JOIN trip ON trip.rider_id = rider.rider_id GROUP BY rider.rider_id, rider.name HAVING SUM(trip.minutes) > 200;

-- Stations somebody calls a favorite though no trip ever began there
SELECT name FROM station WHERE EXISTS (SELECT 1 FROM favorite WHERE favorite.station_id = station.station_id) AND NOT EXISTS (SELECT 1 FROM trip WHERE trip.start_station_id = station.station_id);

-- Which models exist both as electric and as ordinary bikes?
SELECT model FROM bike WHERE electric = 1 INTERSECT SELECT model FROM bike WHERE electric = 0;

-- Finance wants revenue by month in 2024. Treat unbilled trips as 0 and write months like 2024-03, in order.
-- evidence: an unbilled trip has no cost
SELECT strftime('%Y-%m', started_on), SUM(COALESCE(cost, 0)) FROM trip WHERE strftime('%Y', started_on) = '2024' GROUP BY strftime('%Y-%m', started_on) ORDER BY strftime('%Y-%m', started_on);

-- Bikes whose repairs together ate up more than a tenth of what we paid for the bike
SELECT nickname FROM bike WHERE 0.1 * price < (SELECT SUM(cost) FROM repair WHERE repair.bike_id = bike.bike_id);

-- Show each rider's latest trip: rider, date and minutes. If someone rode several times that day, take the highest trip number.
WITH numbered AS (SELECT rider_id, started_on, minutes, ROW_NUMBER() OVER (PARTITION BY rider_id ORDER BY started_on DESC, trip_id DESC) AS place FROM trip) SELECT rider.name, numbered.started_on, numbered.minutes FROM numbered JOIN rider ON numbered.rider_id = rider.rider_id WHERE numbered.place = 1;

-- Where do more rides end than begin? Names of those stations.
SELECT name FROM station WHERE (SELECT COUNT(*) FROM trip WHERE trip.end_station_id = station.station_id) > (SELECT COUNT(*) FROM trip WHERE trip.start_station_id = station.station_id);

-- Give every district its busiest start station or, in a draw, stations: district, station, number of departures.
WITH departure AS (SELECT station.district AS district, station.name AS name, COUNT(*) AS trips FROM station JOIN trip ON trip.start_station_id = station.station_id GROUP BY station.station_id, station.district, station.name), placed AS (SELECT district, name, trips, RANK() OVER (PARTITION BY district ORDER BY trips DESC) AS place FROM departure) SELECT district, name, trips FROM placed WHERE place = 1;

-- Pairs of riders from one home town with the same year of birth - town spelling in capitals or not makes no difference. One row a pair, lower rider number first.
SELECT one.name, two.name FROM rider AS one JOIN rider AS two ON LOWER(one.home_town) = LOWER(two.home_town) AND one.birth_year = two.birth_year AND one.rider_id < two.rider_id;

-- One list of bike nicknames for the check-up: anything bought before 2016 or with a brake repair in 2025.
SELECT nickname FROM bike WHERE bought_on < '2016-01-01' UNION SELECT bike.nickname FROM bike JOIN repair ON repair.bike_id = bike.bike_id WHERE repair.part = 'brake' AND repair.repaired_on LIKE '2025-%';
