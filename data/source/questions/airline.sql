-- How many passengers do we have on file?
SELECT COUNT(*) FROM passenger;

-- List the registrations of all retired aircraft.
SELECT registration FROM aircraft WHERE retired = 1;

-- names of German airports that lie above 500 metres
SELECT name FROM airport WHERE country = 'Germany' AND elevation > 500;

-- Which different aircraft models do we have in the fleet?
SELECT DISTINCT model FROM aircraft;

-- Who hasn't given us an email address yet?
SELECT name FROM passenger WHERE email IS NULL;

-- I'd like the average number of seats for each model, please.
SELECT model, AVG(seats) FROM aircraft GROUP BY model;

-- Show me what left in March 2024: flight number and date, earliest first, and flights of one day by flight number.
SELECT flight_number, departure_date FROM flight WHERE strftime('%Y-%m', departure_date) = '2024-03' ORDER BY departure_date, flight_number;

-- What are our five longest flights by duration? Give the flight numbers, longest first; where two take equally long, the one whose flight number comes first in the alphabet goes first.
SELECT flight_number FROM flight ORDER BY duration DESC, flight_number LIMIT 5;

-- For all flights out of France I need the flight number together with the name of the airport it leaves from.
SELECT flight.flight_number, airport.name FROM flight JOIN airport ON flight.origin_id = airport.airport_id WHERE airport.country = 'France';

-- Fleet usage report: every registration with its number of flights, including the planes that have never flown.
SELECT aircraft.registration, COUNT(flight.flight_id) FROM aircraft LEFT JOIN flight ON flight.aircraft_id = aircraft.aircraft_id GROUP BY aircraft.aircraft_id, aircraft.registration;

-- Are there airports that none of our flights goes to? Name them.
SELECT name FROM airport WHERE NOT EXISTS (SELECT 1 FROM flight WHERE flight.destination_id = airport.airport_id);

-- Find the numbers of the domestic flights.
-- evidence: a flight is domestic if it starts and ends in the same country
SELECT flight.flight_number FROM flight JOIN airport AS start ON flight.origin_id = start.airport_id JOIN airport AS goal ON flight.destination_id = goal.airport_id WHERE start.country = goal.country;

-- Who are our frequent flyers, and how many bookings did each of them make?
-- evidence: a frequent flyer has made more than eight bookings
SELECT passenger.name, COUNT(*) FROM passenger JOIN booking ON booking.passenger_id = passenger.passenger_id GROUP BY passenger.passenger_id, passenger.name HAVING COUNT(*) > 8;

-- How much money came in from business cabin bookings altogether?
SELECT SUM(price) FROM booking WHERE cabin = 'business';

-- Which cabin brings in the most revenue? If several are level at the top, list all of them.
WITH income AS (SELECT cabin, SUM(price) AS total FROM booking GROUP BY cabin) SELECT cabin FROM income WHERE total = (SELECT MAX(total) FROM income);

-- Count the bookings that cost more than the average booking does.
SELECT COUNT(*) FROM booking WHERE price > (SELECT AVG(price) FROM booking);

-- I'm looking for travellers who have bought at least one economy booking and at least one business booking. Their names, please.
SELECT name FROM passenger WHERE passenger_id IN (SELECT passenger_id FROM booking WHERE cabin = 'economy' INTERSECT SELECT passenger_id FROM booking WHERE cabin = 'business');

-- Cities where we have an airport on the list but where no flight of ours started on or after 1 July 2024?
SELECT city FROM airport EXCEPT SELECT airport.city FROM airport JOIN flight ON flight.origin_id = airport.airport_id WHERE flight.departure_date >= '2024-07-01';

-- Passengers born in the nineties, from the oldest to the youngest, those with the same birthday by name.
SELECT name FROM passenger WHERE birth_date BETWEEN '1990-01-01' AND '1999-12-31' ORDER BY birth_date, name;

-- What is the priciest booking each traveller has ever made? I want the person's name, the flight number and the price, and all of them if a top price was paid more than once.
SELECT passenger.name, flight.flight_number, booking.price FROM booking JOIN passenger ON booking.passenger_id = passenger.passenger_id JOIN flight ON booking.flight_id = flight.flight_id WHERE booking.price = (SELECT MAX(other.price) FROM booking AS other WHERE other.passenger_id = booking.passenger_id);

-- Number the bookings of each gold tier passenger from their first to their latest by booking date (same day: lower booking id first) and return name, booking id and that number.
SELECT passenger.name, booking.booking_id, ROW_NUMBER() OVER (PARTITION BY passenger.passenger_id ORDER BY booking.booked_date, booking.booking_id) FROM booking JOIN passenger ON booking.passenger_id = passenger.passenger_id WHERE passenger.tier = 'gold';

-- Rank the aircraft models by how many flights they have flown; models with equally many share a rank. Output model, flights, rank.
SELECT aircraft.model, COUNT(*), RANK() OVER (ORDER BY COUNT(*) DESC) FROM aircraft JOIN flight ON flight.aircraft_id = aircraft.aircraft_id GROUP BY aircraft.model;

-- Split our flights into short, medium and long haul and tell me how many there are of each.
-- evidence: short is under 120 minutes, medium is from 120 to 360 minutes, long is above 360 minutes; the groups are called 'short', 'medium' and 'long'
SELECT CASE WHEN duration < 120 THEN 'short' WHEN duration <= 360 THEN 'medium' ELSE 'long' END AS haul, COUNT(*) FROM flight GROUP BY haul;

-- What percentage of all flights was cancelled?
SELECT 100.0 * SUM(CASE WHEN status = 'cancelled' THEN 1 ELSE 0 END) / COUNT(*) FROM flight;

-- How many passengers sit in every loyalty tier? Put the people without one under 'none'.
SELECT COALESCE(tier, 'none'), COUNT(*) FROM passenger GROUP BY COALESCE(tier, 'none');

-- On average, how many days ahead of departure do people book, cabin by cabin?
SELECT booking.cabin, AVG(julianday(flight.departure_date) - julianday(booking.booked_date)) FROM booking JOIN flight ON booking.flight_id = flight.flight_id GROUP BY booking.cabin;

-- Give me one list, without repeats, of every country where we have an airport or a passenger comes from.
SELECT country FROM airport UNION SELECT country FROM passenger;

-- How many people want the vegetarian meal?
-- evidence: meal preferences were typed in by hand, so 'Vegetarian', 'VEGETARIAN' and 'vegetarian' are the same
SELECT COUNT(*) FROM passenger WHERE LOWER(meal) = 'vegetarian';

-- Pairs of airports serving the same city: the two names, each pair once, the one with the lower airport id on the left.
SELECT one.name, two.name FROM airport AS one JOIN airport AS two ON one.city = two.city AND one.airport_id < two.airport_id;

-- For each month of 2024, how many flights departed and how does that differ from the month before? Months as 'YYYY-MM' in order; January has nothing to compare with.
WITH monthly AS (SELECT strftime('%Y-%m', departure_date) AS month, COUNT(*) AS flights FROM flight WHERE strftime('%Y', departure_date) = '2024' GROUP BY month) SELECT month, flights, flights - LAG(flights) OVER (ORDER BY month) FROM monthly ORDER BY month;
