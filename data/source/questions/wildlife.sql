-- How big is Hidden Valley and what kind of habitat does it have?
SELECT area, habitat FROM park WHERE name = 'Hidden Valley';

-- nocturnal species in the cat family
SELECT name FROM species WHERE family = 'cat' AND nocturnal = 1;

-- How many animals did people save and bring in?
-- evidence: saved animals have the origin 'rescue'
SELECT COUNT(*) FROM animal WHERE origin = 'rescue';

-- Which statuses do species carry? Skip the ones nobody has assessed.
SELECT DISTINCT status FROM species WHERE status IS NOT NULL;

-- Name the ten parks with the largest area, biggest first; equal areas in alphabetical order.
SELECT name FROM park ORDER BY area DESC, name LIMIT 10;

-- Could you tell me what chief rangers earn on average?
SELECT AVG(salary) FROM ranger WHERE rank = 'chief';

-- Rangers hired before 2005, with the day they started
SELECT name, hired_on FROM ranger WHERE hired_on < '2005-01-01';

-- Per country, the number of parks and their area all together
SELECT country, COUNT(*), SUM(area) FROM park GROUP BY country;

-- Animals that weigh between 100 and 120 kilos
-- evidence: weight is in kilograms
SELECT name FROM animal WHERE weight BETWEEN 100 AND 120;

-- Any species with 'Marsh' in front of its name?
SELECT name FROM species WHERE name LIKE 'Marsh %';

-- Which animals live in Kenya, and where exactly? Animal, then park.
SELECT animal.name, park.name FROM animal JOIN park ON animal.park_id = park.park_id WHERE park.country = 'Kenya';

-- Print each animal with its mother's name. Those whose mother is unknown can stay out.
SELECT child.name, mother.name FROM animal AS child JOIN animal AS mother ON child.mother_id = mother.animal_id;

-- Desk rangers: who are they?
-- evidence: a desk ranger has never reported a sighting
SELECT name FROM ranger WHERE NOT EXISTS (SELECT 1 FROM sighting WHERE sighting.ranger_id = ranger.ranger_id);

-- How many times was each critical species seen? We only keep sightings of single animals, so go through those; leave out species never seen.
SELECT species.name, COUNT(*) FROM species JOIN animal ON animal.species_id = species.species_id JOIN sighting ON sighting.animal_id = animal.animal_id WHERE species.status = 'critical' GROUP BY species.species_id, species.name;

-- parks that count more than 5 different species
SELECT park.name FROM park JOIN park_species ON park_species.park_id = park.park_id GROUP BY park.park_id, park.name HAVING COUNT(*) > 5;

-- Where do endangered species of the deer family live? Park names, each once.
SELECT DISTINCT park.name FROM park JOIN park_species ON park_species.park_id = park.park_id JOIN species ON park_species.species_id = species.species_id WHERE species.status = 'endangered' AND species.family = 'deer';

-- Every park and the number of its rangers, zero included
SELECT park.name, COUNT(ranger.ranger_id) FROM park LEFT JOIN ranger ON ranger.park_id = park.park_id GROUP BY park.park_id, park.name;

-- In how many sightings was an animal drinking at the river? The notes are typed carelessly, capitals or not.
SELECT COUNT(*) FROM sighting WHERE LOWER(note) = 'drinking at the river';

-- Give me the mothers of at least three young together with how many they had.
SELECT mother.name, COUNT(*) FROM animal AS mother JOIN animal AS child ON child.mother_id = mother.animal_id GROUP BY mother.animal_id, mother.name HAVING COUNT(*) >= 3;

-- Monthly sightings in 2023, January to December; months as two digits
SELECT strftime('%m', seen_on), COUNT(*) FROM sighting WHERE strftime('%Y', seen_on) = '2023' GROUP BY strftime('%m', seen_on) ORDER BY strftime('%m', seen_on);

-- Habitats found both in Canada and in India
SELECT habitat FROM park WHERE country = 'Canada' INTERSECT SELECT habitat FROM park WHERE country = 'India';

-- Heaviest animal of every species: species and animal. If two weigh the same, name both; unweighed animals don't count.
SELECT species.name, animal.name FROM animal JOIN species ON animal.species_id = species.species_id WHERE animal.weight = (SELECT MAX(other.weight) FROM animal AS other WHERE other.species_id = animal.species_id);

-- Whose pay lies above what their own rank gets on average?
SELECT name FROM ranger WHERE salary > (SELECT AVG(peer.salary) FROM ranger AS peer WHERE peer.rank = ranger.rank);

-- Which young were born in one park's care while the mother lives in another? Young, its park, mother's park.
SELECT child.name, home.name, origin.name FROM animal AS child JOIN animal AS mother ON child.mother_id = mother.animal_id JOIN park AS home ON child.park_id = home.park_id JOIN park AS origin ON mother.park_id = origin.park_id WHERE child.park_id <> mother.park_id;

-- I need the days since the previous sighting for each animal's sightings - animal name, date and days, with nothing in the last column for a first sighting.
SELECT animal.name, sighting.seen_on, julianday(sighting.seen_on) - julianday(LAG(sighting.seen_on) OVER (PARTITION BY sighting.animal_id ORDER BY sighting.seen_on, sighting.sighting_id)) FROM sighting JOIN animal ON sighting.animal_id = animal.animal_id;

-- Sort rangers into 'long' (hired before 2010), 'medium' (before 2020) and 'short' service; how many in each and what is the average pay?
SELECT CASE WHEN hired_on < '2010-01-01' THEN 'long' WHEN hired_on < '2020-01-01' THEN 'medium' ELSE 'short' END, COUNT(*), AVG(salary) FROM ranger GROUP BY CASE WHEN hired_on < '2010-01-01' THEN 'long' WHEN hired_on < '2020-01-01' THEN 'medium' ELSE 'short' END;

-- Species that no park has counted, plus species whose every count is unknown
WITH counted AS (SELECT species_id FROM park_species WHERE head_count IS NOT NULL) SELECT name FROM species WHERE species_id NOT IN (SELECT species_id FROM counted);

-- How crowded is each savanna park? Heads per square kilometer, taking an unknown count as 0. List only parks with counts.
-- evidence: area is in square kilometers; crowding = 1.0 * sum of head_count / area
SELECT park.name, 1.0 * SUM(COALESCE(park_species.head_count, 0)) / park.area FROM park JOIN park_species ON park_species.park_id = park.park_id WHERE park.habitat = 'savanna' GROUP BY park.park_id, park.name, park.area;

-- Rank species by their total head count over all parks and show ranks 1 to 5 with name and total, best rank first, names in order within a rank.
WITH total AS (SELECT species.name AS name, SUM(park_species.head_count) AS heads FROM species JOIN park_species ON park_species.species_id = species.species_id GROUP BY species.species_id, species.name), ranked AS (SELECT name, heads, RANK() OVER (ORDER BY heads DESC) AS place FROM total WHERE heads IS NOT NULL) SELECT place, name, heads FROM ranked WHERE place <= 5 ORDER BY place, name;

-- Parks where animals live but where no ranger works
SELECT name FROM park WHERE park_id IN (SELECT park_id FROM animal) EXCEPT SELECT park.name FROM park JOIN ranger ON ranger.park_id = park.park_id;
