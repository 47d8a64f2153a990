-- How many tracks are marked explicit?
SELECT COUNT(*) FROM track WHERE explicit = 1;

-- Show name and country of all jazz artists.
SELECT name, country FROM artist WHERE genre = 'jazz';

-- albums that cost more than 12, title and price, the most expensive on top and equal prices by title
SELECT title, price FROM album WHERE price > 12 ORDER BY price DESC, title;

-- We never found out when some artists started. Who are they?
SELECT name FROM artist WHERE debut_year IS NULL;

-- What moods can a playlist have?
SELECT DISTINCT mood FROM playlist WHERE mood IS NOT NULL;

-- I only remember that the album was called "Songs for" something. What could it have been?
SELECT title FROM album WHERE title LIKE 'Songs for%';

-- Break down our listeners by plan.
SELECT plan, COUNT(*) FROM listener GROUP BY plan;

-- Tell me the average length of a track in minutes.
-- evidence: lengths are kept in seconds
SELECT AVG(length) / 60.0 FROM track;

-- Which artists count as prolific?
-- evidence: prolific means at least four albums
SELECT artist.name FROM artist JOIN album ON album.artist_id = artist.artist_id GROUP BY artist.artist_id, artist.name HAVING COUNT(*) >= 4;

-- Please pull every Swedish artist's albums: artist first, then the album title.
SELECT artist.name, album.title FROM artist JOIN album ON album.artist_id = artist.artist_id WHERE artist.country = 'Sweden';

-- Who has signed up but not put together a single playlist so far?
SELECT listener.name FROM listener LEFT JOIN playlist ON playlist.listener_id = listener.listener_id WHERE playlist.playlist_id IS NULL;

-- Tracks nobody has added to any playlist, how many is that?
SELECT COUNT(*) FROM track WHERE track_id NOT IN (SELECT track_id FROM playlist_track);

-- For the catalogue page: each genre and its number of albums, also for genres whose artists have no album yet.
SELECT artist.genre, COUNT(album.album_id) FROM artist LEFT JOIN album ON album.artist_id = artist.artist_id GROUP BY artist.genre;

-- Name the ten most played tracks with their plays, starting at the top. Tracks level on plays go in order of track id.
SELECT title, plays FROM track WHERE plays IS NOT NULL ORDER BY plays DESC, track_id LIMIT 10;

-- Albums from the eighties, anyone? Titles only.
SELECT title FROM album WHERE CAST(strftime('%Y', release_date) AS INTEGER) BETWEEN 1980 AND 1989;

-- Which playlists would keep a party of half an hour going? Give the title and the total seconds.
-- evidence: the tracks of the playlist must last more than 1800 seconds together
SELECT playlist.title, SUM(track.length) FROM playlist JOIN playlist_track ON playlist_track.playlist_id = playlist.playlist_id JOIN track ON track.track_id = playlist_track.track_id GROUP BY playlist.playlist_id, playlist.title HAVING SUM(track.length) > 1800;

-- Is there any listener from India with a rock track on one of their playlists? List such people once each.
SELECT DISTINCT listener.name FROM listener JOIN playlist ON playlist.listener_id = listener.listener_id JOIN playlist_track ON playlist_track.playlist_id = playlist.playlist_id JOIN track ON track.track_id = playlist_track.track_id JOIN album ON album.album_id = track.album_id JOIN artist ON artist.artist_id = album.artist_id WHERE listener.country = 'India' AND artist.genre = 'rock';

-- Every album has a longest track (or several tied ones). Which are they? Album title, track title.
SELECT album.title, track.title FROM album JOIN track ON track.album_id = album.album_id WHERE track.length = (SELECT MAX(other.length) FROM track AS other WHERE other.album_id = album.album_id);

-- Count live albums, whichever way somebody wrote the word.
-- evidence: the format was typed by hand; upper and lower case mean the same
SELECT COUNT(*) FROM album WHERE LOWER(format) = 'live';

-- Which countries do both artists and listeners come from?
SELECT country FROM artist INTERSECT SELECT country FROM listener;

-- Countries that gave us a pop artist, but not a single reggae artist
SELECT country FROM artist WHERE genre = 'pop' EXCEPT SELECT country FROM artist WHERE genre = 'reggae';

-- Rank artists within their genre by total plays, most plays is rank 1 and equal totals share a rank. I need genre, artist, total and rank; leave out artists without any counted plays.
SELECT artist.genre, artist.name, SUM(track.plays), RANK() OVER (PARTITION BY artist.genre ORDER BY SUM(track.plays) DESC) FROM artist JOIN album ON album.artist_id = artist.artist_id JOIN track ON track.album_id = album.album_id WHERE track.plays IS NOT NULL GROUP BY artist.artist_id, artist.genre, artist.name;

-- Growth of the service: per joining year, the new listeners and the total of listeners up to and including that year, oldest year first.
WITH yearly AS (SELECT strftime('%Y', joined_date) AS year, COUNT(*) AS joined FROM listener GROUP BY year) SELECT year, joined, SUM(joined) OVER (ORDER BY year) FROM yearly ORDER BY year;

-- Would you list the tracks that go on for longer than the average track of their album? Titles will do.
SELECT title FROM track WHERE length > (SELECT AVG(peer.length) FROM track AS peer WHERE peer.album_id = track.album_id);

-- Titles that were used for an album as well as for a track, each once.
SELECT DISTINCT title FROM album WHERE title IN (SELECT title FROM track);

-- Sort playlists into 'unnoticed' (no followers), 'small' (1 to 10) and 'popular' (more than 10) and count each kind.
SELECT CASE WHEN followers = 0 THEN 'unnoticed' WHEN followers <= 10 THEN 'small' ELSE 'popular' END AS kind, COUNT(*) FROM playlist GROUP BY kind;

-- Find listeners who own a happy playlist and also a sad one.
SELECT name FROM listener WHERE EXISTS (SELECT 1 FROM playlist WHERE playlist.listener_id = listener.listener_id AND playlist.mood = 'happy') AND EXISTS (SELECT 1 FROM playlist WHERE playlist.listener_id = listener.listener_id AND playlist.mood = 'sad');

-- One mailing list with the names of all artists and all listeners from Japan, no name twice.
SELECT name FROM artist WHERE country = 'Japan' UNION SELECT name FROM listener WHERE country = 'Japan';

-- How many days passed, on average, between the making of a playlist and the adding of a track to it?
SELECT AVG(julianday(playlist_track.added_date) - julianday(playlist.created_date)) FROM playlist_track JOIN playlist ON playlist.playlist_id = playlist_track.playlist_id;

-- Which two tracks of one album share the very same length? Both titles and the length, the track with the lower id first, every pair once.
SELECT one.title, two.title, one.length FROM track AS one JOIN track AS two ON one.album_id = two.album_id AND one.length = two.length AND one.track_id < two.track_id;
