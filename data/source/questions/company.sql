-- Who are our directors?
SELECT name FROM employee WHERE job = 'director';

-- What does a year in all our Portuguese offices cost us in rent?
-- evidence: rents are per month
SELECT 12 * SUM(rent) FROM office WHERE country = 'Portugal';

-- Number of people working from home, please.
SELECT COUNT(*) FROM employee WHERE remote = 1;

-- Give me the ten smallest offices, name and floor area, going up from the smallest; where areas are equal the lower office number goes first.
SELECT name, area FROM office ORDER BY area, office_id LIMIT 10;

-- Which employees report to nobody? Name and job.
SELECT name, job FROM employee WHERE manager_id IS NULL;

-- Projects to do with a lighthouse or a dam, whatever their status: title and status.
SELECT title, status FROM project WHERE title LIKE '%Lighthouse%' OR title LIKE '%Dam%';

-- Lowest, average (whole number) and highest salary for each job.
SELECT job, MIN(salary), ROUND(AVG(salary)), MAX(salary) FROM employee GROUP BY job;

-- Which jobs are so common that at least one employee in ten has them?
SELECT job FROM employee GROUP BY job HAVING 10 * COUNT(*) >= (SELECT COUNT(*) FROM employee);

-- In which years did we open offices? Latest year first, each year once.
SELECT DISTINCT strftime('%Y', opened_on) AS year FROM office ORDER BY year DESC;

-- How many offices are our own, country by country?
-- evidence: an office of our own has no rent
SELECT country, COUNT(*) FROM office WHERE rent IS NULL GROUP BY country;

-- How many offices do we rent from each landlord? Capital letters make no difference; landlords in lower case.
SELECT LOWER(landlord) AS owner, COUNT(*) FROM office WHERE landlord IS NOT NULL GROUP BY owner;

-- Everyone next to his or her manager's name, but only engineers, and only those who have a manager.
SELECT e.name, m.name FROM employee AS e JOIN employee AS m ON e.manager_id = m.employee_id WHERE e.job = 'engineer';

-- It bothers me when people out-earn their own boss. Who does, and by how much?
SELECT e.name, e.salary - m.salary FROM employee AS e JOIN employee AS m ON m.employee_id = e.manager_id WHERE e.salary > m.salary;

-- The five managers with the most direct reports and how many they have, most first, names breaking ties.
SELECT m.name, COUNT(*) AS reports FROM employee AS m JOIN employee AS e ON e.manager_id = m.employee_id GROUP BY m.employee_id, m.name ORDER BY reports DESC, m.name LIMIT 5;

-- Departments without staff: what are they called and which division do they belong to?
SELECT d.name, d.division FROM department AS d LEFT JOIN employee AS e ON e.department_id = d.department_id WHERE e.employee_id IS NULL;

-- List the engineering departments in Germany.
SELECT department.name FROM department, office WHERE department.office_id = office.office_id AND department.division = 'engineering' AND office.country = 'Germany';

-- Who has worked on design and testing both?
SELECT e.name FROM employee AS e JOIN assignment AS a ON a.employee_id = e.employee_id WHERE a.task = 'design' INTERSECT SELECT e.name FROM employee AS e JOIN assignment AS a ON a.employee_id = e.employee_id WHERE a.task = 'testing';

-- How long did our finished projects take, in days, averaged per division of the department in charge? One decimal.
SELECT d.division, ROUND(AVG(julianday(p.end_date) - julianday(p.start_date)), 1) FROM project AS p JOIN department AS d ON d.department_id = p.department_id WHERE p.status = 'finished' AND p.end_date IS NOT NULL GROUP BY d.division;

-- How many projects of each status have nobody assigned to them?
SELECT status, COUNT(*) FROM project WHERE project_id NOT IN (SELECT project_id FROM assignment) GROUP BY status;

-- Total hours booked per task, with missing hours taken as 8.
SELECT task, SUM(COALESCE(hours, 8)) FROM assignment GROUP BY task;

-- I'm looking for people who were never given a raise although they joined before 2005. Name and hiring date, longest-serving first, then by name.
SELECT e.name, e.hired_on FROM employee AS e WHERE e.hired_on < '2005-01-01' AND NOT EXISTS (SELECT 1 FROM pay_rise AS r WHERE r.employee_id = e.employee_id) ORDER BY e.hired_on, e.name;

-- Pay rises by reason: how many, and what share of the money handed out (per cent, one decimal)? Leave out those without a reason.
SELECT reason, COUNT(*), ROUND(100.0 * SUM(amount) / (SELECT SUM(amount) FROM pay_rise WHERE reason IS NOT NULL), 1) FROM pay_rise WHERE reason IS NOT NULL GROUP BY reason;

-- Who got both a promotion and a relocation rise, and what did all their pay rises come to?
SELECT e.name, SUM(r.amount) FROM employee AS e JOIN pay_rise AS r ON r.employee_id = e.employee_id WHERE e.employee_id IN (SELECT employee_id FROM pay_rise WHERE reason = 'promotion') AND e.employee_id IN (SELECT employee_id FROM pay_rise WHERE reason = 'relocation') GROUP BY e.employee_id, e.name;

-- The best paid person of every department, or people if they earn the same: department, name, salary.
SELECT department, name, salary FROM (SELECT d.name AS department, e.name, e.salary, DENSE_RANK() OVER (PARTITION BY d.department_id ORDER BY e.salary DESC) AS place FROM employee AS e JOIN department AS d ON d.department_id = e.department_id) AS ranked WHERE place = 1;

-- Sort projects into 'small' (cost below 500,000), 'medium' (below 1,500,000) and 'large', and count them by status: status, size, number.
SELECT status, CASE WHEN cost < 500000 THEN 'small' WHEN cost < 1500000 THEN 'medium' ELSE 'large' END AS size, COUNT(*) FROM project GROUP BY status, size;

-- What did each employee in a sales department get at the latest pay rise? Name, date, amount; several on the same day all count.
SELECT e.name, r.granted_on, r.amount FROM pay_rise AS r JOIN employee AS e ON e.employee_id = r.employee_id JOIN department AS d ON d.department_id = e.department_id WHERE d.division = 'sales' AND r.granted_on = (SELECT MAX(l.granted_on) FROM pay_rise AS l WHERE l.employee_id = r.employee_id);

-- Show how our headcount grew: for every hiring year the number of people hired and the total so far, year by year.
-- evidence: everybody ever hired is still here
WITH yearly AS (SELECT strftime('%Y', hired_on) AS year, COUNT(*) AS hired FROM employee GROUP BY year) SELECT year, hired, SUM(hired) OVER (ORDER BY year ROWS UNBOUNDED PRECEDING) FROM yearly ORDER BY year;

-- How deep is the organisation? Count the people at each level under those without a manager, who are level 0, from the top down.
WITH RECURSIVE chain AS (SELECT employee_id, 0 AS level FROM employee WHERE manager_id IS NULL UNION ALL SELECT e.employee_id, c.level + 1 FROM employee AS e JOIN chain AS c ON e.manager_id = c.employee_id) SELECT level, COUNT(*) FROM chain GROUP BY level ORDER BY level;

-- Find staff lent to somebody else's stalled work, that is, assigned to a paused project that another department runs. Each name once.
SELECT DISTINCT e.name FROM employee AS e JOIN assignment AS a ON a.employee_id = e.employee_id JOIN project AS p ON p.project_id = a.project_id WHERE e.department_id <> p.department_id AND p.status = 'paused';

-- Over-budget departments: whose projects together cost more than five times the department's budget? Department, total cost and budget.
-- evidence: departments without a budget on file are left out
WITH spending AS (SELECT department_id, SUM(cost) AS total FROM project GROUP BY department_id) SELECT d.name, s.total, d.budget FROM department AS d JOIN spending AS s ON s.department_id = d.department_id WHERE s.total > 5 * d.budget;
