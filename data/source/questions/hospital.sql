-- How many of our patients come from outside Glasgow?
SELECT COUNT(*) FROM patient WHERE city <> 'Glasgow';

-- Which cardiologists on call were hired before 2010?
SELECT name FROM doctor WHERE specialty = 'cardiology' AND on_call = 1 AND hired_on < '2010-01-01';

-- What's the cheapest medicine we can prescribe, and what does it cost? All of them if there are several.
SELECT name, price FROM medicine WHERE price = (SELECT MIN(price) FROM medicine);

-- Names of patients with neither a weight nor an allergy on file.
SELECT name FROM patient WHERE weight IS NULL AND allergy IS NULL;

-- Beds per hospital?
SELECT hospital, SUM(beds) FROM ward GROUP BY hospital;

-- Let me see all antibiotics and painkillers that cost under 40, in alphabetical order.
SELECT name FROM medicine WHERE kind IN ('antibiotic', 'painkiller') AND price < 40 ORDER BY name;

-- How long is the longest appointment ever, in hours?
SELECT MAX(minutes) / 60.0 FROM appointment;

-- I need the doctors with a salary from 150,000 up or none on file: name and salary.
SELECT name, salary FROM doctor WHERE salary >= 150000 OR salary IS NULL;

-- What are patients allergic to? One line per allergy, in capitals, whatever way it was typed.
SELECT DISTINCT UPPER(allergy) FROM patient WHERE allergy IS NOT NULL;

-- Which wards are called after a robin, a heron or a wren?
-- evidence: their names start with Robin, Heron or Wren
SELECT name FROM ward WHERE name LIKE 'Robin %' OR name LIKE 'Heron %' OR name LIKE 'Wren %';

-- Every patient who is allergic to penicillin and still got an antibiotic: name and medicine.
SELECT p.name, m.name FROM patient AS p JOIN prescription AS r ON r.patient_id = p.patient_id JOIN medicine AS m ON m.medicine_id = r.medicine_id WHERE LOWER(p.allergy) = 'penicillin' AND m.kind = 'antibiotic';

-- Do we have wards without a single doctor? Give their names and hospitals.
SELECT w.name, w.hospital FROM ward AS w WHERE NOT EXISTS (SELECT 1 FROM doctor AS d WHERE d.ward_id = w.ward_id);

-- Which three specialties handled the most appointments in 2024, and how many? Most first; alphabetical order decides between equals.
SELECT d.specialty, COUNT(*) AS visits FROM doctor AS d JOIN appointment AS a ON a.doctor_id = d.doctor_id WHERE a.visit_date BETWEEN '2024-01-01' AND '2024-12-31' GROUP BY d.specialty ORDER BY visits DESC, d.specialty LIMIT 3;

-- No-show rate by patients' home town, in per cent to one decimal.
-- evidence: a no-show is an appointment with the status 'missed'
SELECT p.city, ROUND(100.0 * SUM(CASE WHEN a.status = 'missed' THEN 1 ELSE 0 END) / COUNT(*), 1) FROM appointment AS a JOIN patient AS p ON p.patient_id = a.patient_id GROUP BY p.city;

-- Which patients missed an appointment and cancelled another one?
SELECT name FROM patient WHERE patient_id IN (SELECT patient_id FROM appointment WHERE status = 'missed') AND patient_id IN (SELECT patient_id FROM appointment WHERE status = 'cancelled');

-- Surgeons in wards above the fifth floor: name, ward and floor.
SELECT d.name, w.name, w.floor FROM doctor AS d INNER JOIN ward AS w ON w.ward_id = d.ward_id WHERE d.specialty = 'surgery' AND w.floor > 5;

-- Whose medicines cost more on average than medicines do overall? Maker and average, to two decimals.
SELECT maker, ROUND(AVG(price), 2) FROM medicine GROUP BY maker HAVING AVG(price) > (SELECT AVG(price) FROM medicine);

-- The children of our practice: how many patients were born in 2010 or later, by year of birth, in order of the year?
SELECT strftime('%Y', birth_date) AS born, COUNT(*) FROM patient WHERE birth_date >= '2010-01-01' GROUP BY born ORDER BY born;

-- I wonder who earns more than the average doctor of the same specialty. Name, specialty, salary.
SELECT d.name, d.specialty, d.salary FROM doctor AS d JOIN (SELECT specialty, AVG(salary) AS usual FROM doctor GROUP BY specialty) AS s ON s.specialty = d.specialty WHERE d.salary > s.usual;

-- Medicines that were prescribed to someone in Munich but to no one in Helsinki.
SELECT m.name FROM medicine AS m JOIN prescription AS r ON r.medicine_id = m.medicine_id JOIN patient AS p ON p.patient_id = r.patient_id WHERE p.city = 'Munich' EXCEPT SELECT m.name FROM medicine AS m JOIN prescription AS r ON r.medicine_id = m.medicine_id JOIN patient AS p ON p.patient_id = r.patient_id WHERE p.city = 'Helsinki';

-- For each patient with the blood type AB-, list how many prescriptions there are, zero included.
SELECT p.name, COUNT(r.prescription_id) FROM patient AS p LEFT JOIN prescription AS r ON r.patient_id = p.patient_id WHERE p.blood_type = 'AB-' GROUP BY p.patient_id, p.name;

-- Which doctors have the same patient in their diary more than once? Doctor, patient and number of appointments.
SELECT d.name, p.name, COUNT(*) FROM appointment AS a JOIN doctor AS d ON d.doctor_id = a.doctor_id JOIN patient AS p ON p.patient_id = a.patient_id GROUP BY a.doctor_id, a.patient_id, d.name, p.name HAVING COUNT(*) > 1;

-- Split the patients by age at the end of 2024: 'child' under 18, 'adult' under 65, 'senior' from then on. How many in each group, and how heavy are they on average (one decimal)?
SELECT CASE WHEN birth_date > '2006-12-31' THEN 'child' WHEN birth_date > '1959-12-31' THEN 'adult' ELSE 'senior' END AS age_group, COUNT(*), ROUND(AVG(weight), 1) FROM patient GROUP BY age_group;

-- Who is the longest-serving doctor of each hospital? Hospital, name, hiring date, ties included.
WITH staff AS (SELECT w.hospital, d.name, d.hired_on, RANK() OVER (PARTITION BY w.hospital ORDER BY d.hired_on) AS place FROM doctor AS d JOIN ward AS w ON w.ward_id = d.ward_id) SELECT hospital, name, hired_on FROM staff WHERE place = 1;

-- Show the first visit of every patient from Athens together with the doctor. If there were several that day, take the lowest appointment number.
SELECT name, visit_date, doctor FROM (SELECT p.name, a.visit_date, d.name AS doctor, ROW_NUMBER() OVER (PARTITION BY p.patient_id ORDER BY a.visit_date, a.appointment_id) AS place FROM patient AS p JOIN appointment AS a ON a.patient_id = p.patient_id JOIN doctor AS d ON d.doctor_id = a.doctor_id WHERE p.city = 'Athens') AS visits WHERE place = 1;

-- Compare income: completed appointments' fees in 2022, 2023 and 2024 as three columns of one row.
SELECT SUM(CASE WHEN strftime('%Y', visit_date) = '2022' THEN fee ELSE 0 END), SUM(CASE WHEN strftime('%Y', visit_date) = '2023' THEN fee ELSE 0 END), SUM(CASE WHEN strftime('%Y', visit_date) = '2024' THEN fee ELSE 0 END) FROM appointment WHERE status = 'completed';

-- Who has been treated with at least three quarters of all the kinds of medicine there are?
SELECT p.name FROM patient AS p JOIN prescription AS r ON r.patient_id = p.patient_id JOIN medicine AS m ON m.medicine_id = r.medicine_id GROUP BY p.patient_id, p.name HAVING COUNT(DISTINCT m.kind) >= 0.75 * (SELECT COUNT(DISTINCT kind) FROM medicine);

-- Put together a call list of everybody due for something: patients with a booked appointment after 30 September 2024 and patients with a prescription begun in December 2024. Each name once.
SELECT name FROM patient WHERE patient_id IN (SELECT patient_id FROM appointment WHERE status = 'booked' AND visit_date > '2024-09-30') UNION SELECT p.name FROM patient AS p JOIN prescription AS r ON r.patient_id = p.patient_id WHERE strftime('%Y-%m', r.start_date) = '2024-12';

-- Which medicine is prescribed most, and how often? List all that share the first place.
WITH uses AS (SELECT medicine_id, COUNT(*) AS times FROM prescription GROUP BY medicine_id) SELECT m.name, u.times FROM uses AS u JOIN medicine AS m ON m.medicine_id = u.medicine_id WHERE u.times = (SELECT MAX(times) FROM uses);

-- Whose very last appointment was a cancelled one? Only the names.
-- evidence: the last appointment is the one with the latest visit date; with several on that day, one of them being cancelled is enough
SELECT p.name FROM patient AS p WHERE EXISTS (SELECT 1 FROM appointment AS a WHERE a.patient_id = p.patient_id AND a.status = 'cancelled' AND a.visit_date = (SELECT MAX(l.visit_date) FROM appointment AS l WHERE l.patient_id = p.patient_id));
