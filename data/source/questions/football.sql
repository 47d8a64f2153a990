-- How many left-footed players do we have on file?
SELECT COUNT(*) FROM player WHERE left_footed = 1;

-- list every goalkeeper's name and height
SELECT name, height FROM player WHERE position = 'goalkeeper';

-- Which city is Lima Rovers from, and when was the club founded?
SELECT city, founded_year FROM club WHERE name = 'Lima Rovers';

-- Average crowd at cup matches please
SELECT AVG(attendance) FROM game WHERE competition = 'cup';

-- Give me the names of the players that are worth more than 50 million.
-- evidence: "market value" is in millions
SELECT name FROM player WHERE "market value" > 50;

-- I'd like the leagues and how many clubs play in each, the fullest league first; if two are level, go by the alphabet.
SELECT league, COUNT(*) FROM club GROUP BY league ORDER BY COUNT(*) DESC, league;

-- Whose contract status is 'no club'? Just names.
-- evidence: a player without a club has no club_id
SELECT name FROM player WHERE club_id IS NULL;

-- What different kinds of transfer exist?
SELECT DISTINCT kind FROM transfer;

-- Show the five tallest players with their heights. Break ties by name.
SELECT name, height FROM player ORDER BY height DESC, name LIMIT 5;

-- all games that ended in a draw, title only
SELECT title FROM game WHERE home_goals = away_goals;

-- For each Spanish player who belongs to a club, tell me the player and the club.
SELECT player.name, club.name FROM player JOIN club ON player.club_id = club.club_id WHERE player.country = 'Spain';

-- Are there clubs with nobody signed to them? Name them.
SELECT name FROM club WHERE NOT EXISTS (SELECT 1 FROM player WHERE player.club_id = club.club_id);

-- Clubs that have hosted more than 3 games, and the number of games
SELECT club.name, COUNT(*) FROM club JOIN game ON game.home_club_id = club.club_id GROUP BY club.club_id, club.name HAVING COUNT(*) > 3;

-- How much has been spent on transfers each year? Oldest year at the top.
SELECT strftime('%Y', moved_on), SUM(fee) FROM transfer GROUP BY strftime('%Y', moved_on) ORDER BY strftime('%Y', moved_on);

-- We need a table of games: title, the hosts and the visitors, but only super cup games.
SELECT game.title, host.name, guest.name FROM game JOIN club AS host ON game.home_club_id = host.club_id JOIN club AS guest ON game.away_club_id = guest.club_id WHERE game.competition = 'super cup';

-- Who scored three times in one match? I want each name once.
SELECT DISTINCT player.name FROM player JOIN appearance ON appearance.player_id = player.player_id WHERE appearance.goals = 3;

-- Put every club next to its squad size, also those with an empty squad.
SELECT club.name, COUNT(player.player_id) FROM club LEFT JOIN player ON player.club_id = club.club_id GROUP BY club.club_id, club.name;

-- Find players shorter than the average of all players but worth more than the average player.
SELECT name FROM player WHERE height < (SELECT AVG(height) FROM player) AND "market value" > (SELECT AVG("market value") FROM player);

-- I wonder which players never made it onto the pitch in any game.
SELECT name FROM player WHERE player_id NOT IN (SELECT player_id FROM appearance);

-- Countries that give us both goalkeepers and wingers
SELECT country FROM player WHERE position = 'goalkeeper' INTERSECT SELECT country FROM player WHERE position = 'winger';

-- Name the cities with at least one club founded before 1900 where no club was founded after 1980. The spelling of a city's name varies in case; treat those as one and answer in small letters.
SELECT LOWER(city) FROM club WHERE founded_year < 1900 EXCEPT SELECT LOWER(city) FROM club WHERE founded_year > 1980;

-- Top scorer of each position, please: position, name and goals. Show all of them when several share the lead.
WITH total AS (SELECT player.position AS position, player.name AS name, SUM(appearance.goals) AS goals FROM player JOIN appearance ON appearance.player_id = player.player_id GROUP BY player.player_id, player.position, player.name) SELECT position, name, goals FROM total WHERE goals = (SELECT MAX(other.goals) FROM total AS other WHERE other.position = total.position);

-- rank the players of each club by market value, most valuable first, unpriced ones left out: club, player, rank
SELECT club.name, player.name, RANK() OVER (PARTITION BY club.club_id ORDER BY player."market value" DESC) FROM club JOIN player ON player.club_id = club.club_id WHERE player."market value" IS NOT NULL;

-- How many home wins, away wins and draws were there? Label them 'home', 'away' and 'draw'.
SELECT CASE WHEN home_goals > away_goals THEN 'home' WHEN home_goals < away_goals THEN 'away' ELSE 'draw' END, COUNT(*) FROM game GROUP BY CASE WHEN home_goals > away_goals THEN 'home' WHEN home_goals < away_goals THEN 'away' ELSE 'draw' END;

-- What share of all players in percent is left-footed, by position?
-- evidence: share in percent = 100.0 * left-footed players / all players of that position
SELECT position, 100.0 * SUM(left_footed) / COUNT(*) FROM player GROUP BY position;

-- Which players changed clubs for more than one and a half times the average fee of permanent moves? Player and fee.
SELECT player.name, transfer.fee FROM transfer JOIN player ON transfer.player_id = player.player_id WHERE transfer.fee > 1.5 * (SELECT AVG(fee) FROM transfer WHERE kind = 'permanent');

-- Any pairs of clubs that have met at both grounds? Each pair should come up once, the lower club number first.
SELECT DISTINCT one.name, two.name FROM game AS leg JOIN game AS reply ON leg.home_club_id = reply.away_club_id AND leg.away_club_id = reply.home_club_id JOIN club AS one ON leg.home_club_id = one.club_id JOIN club AS two ON leg.away_club_id = two.club_id WHERE leg.home_club_id < leg.away_club_id;

-- Premier League clubs whose players are together worth over 60 million: name and total worth, in descending order of worth, then by name
SELECT club.name, SUM(player."market value") FROM club JOIN player ON player.club_id = club.club_id WHERE club.league = 'Premier League' GROUP BY club.club_id, club.name HAVING SUM(player."market value") > 60 ORDER BY SUM(player."market value") DESC, club.name;

-- My scouts want everyone born in 2004 or later who has already averaged a rating of 7 or better.
SELECT player.name FROM player JOIN appearance ON appearance.player_id = player.player_id WHERE player.birth_date >= '2004-01-01' GROUP BY player.player_id, player.name HAVING AVG(appearance.rating) >= 7;

-- Both lists in one: clubs that are called something with 'Dynamo' and clubs that bought a player on loan.
SELECT name FROM club WHERE name LIKE '%Dynamo%' UNION SELECT club.name FROM club JOIN transfer ON transfer.club_id = club.club_id WHERE transfer.kind = 'loan';
