-- How many courses are taught online?
SELECT COUNT(*) FROM course WHERE online = 1;

-- Physics instructors: names and the day they were hired.
SELECT name, hire_date FROM instructor WHERE department = 'Physics';

-- which students have no advisor
SELECT name FROM student WHERE advisor_id IS NULL;

-- Could I have the heavy graduate courses, in alphabetical order of title?
-- evidence: a heavy course is worth more than 5 credits
SELECT title FROM course WHERE level = 'graduate' AND credits > 5 ORDER BY title;

-- What positions do people teaching here hold? No repeats.
SELECT DISTINCT position FROM instructor;

-- Find everything with "Theory" in the title.
SELECT title FROM course WHERE title LIKE '%Theory%';

-- Highest, lowest and average grade ever given?
SELECT MAX(grade), MIN(grade), AVG(grade) FROM enrollment;

-- Students per major, biggest major first; majors of one size alphabetically.
SELECT major, COUNT(*) FROM student GROUP BY major ORDER BY COUNT(*) DESC, major;

-- Payroll wants the sum of salaries in each department.
SELECT department, SUM(salary) FROM instructor GROUP BY department;

-- Who teaches what in History? Course title, then the instructor's name, for courses of that department.
SELECT course.title, instructor.name FROM course JOIN instructor ON course.instructor_id = instructor.instructor_id WHERE course.department = 'History';

-- The dean asks which instructors teach outside their own department. Every name once.
SELECT DISTINCT instructor.name FROM instructor JOIN course ON course.instructor_id = instructor.instructor_id WHERE course.department <> instructor.department;

-- Print each course next to the course that must be passed before it. Skip those without such a requirement.
SELECT course.title, before.title FROM course JOIN course AS before ON course.prerequisite_id = before.course_id;

-- Do we have courses that build on a course that itself builds on another one? Return three titles per line: the course, its prerequisite and the prerequisite of that.
SELECT course.title, middle.title, base.title FROM course JOIN course AS middle ON course.prerequisite_id = middle.course_id JOIN course AS base ON middle.prerequisite_id = base.course_id;

-- How many students does every instructor advise? Zero counts too.
SELECT instructor.name, COUNT(student.student_id) FROM instructor LEFT JOIN student ON student.advisor_id = instructor.instructor_id GROUP BY instructor.instructor_id, instructor.name;

-- Name the instructors with neither a course to teach nor a student to advise.
SELECT name FROM instructor WHERE instructor_id NOT IN (SELECT instructor_id FROM course) AND instructor_id NOT IN (SELECT advisor_id FROM student WHERE advisor_id IS NOT NULL);

-- Courses with more than ten enrollments, with their average grade
SELECT course.title, AVG(enrollment.grade) FROM course JOIN enrollment ON enrollment.course_id = course.course_id GROUP BY course.course_id, course.title HAVING COUNT(*) > 10;

-- Students that never enrolled in anything?
SELECT name FROM student WHERE NOT EXISTS (SELECT 1 FROM enrollment WHERE enrollment.student_id = student.student_id);

-- Who earns more than the average of his or her own department?
SELECT name FROM instructor WHERE salary > (SELECT AVG(colleague.salary) FROM instructor AS colleague WHERE colleague.department = instructor.department);

-- We want to congratulate the top student of each course. Output course title, student and grade; if several share the best grade, show all of them.
WITH best AS (SELECT course_id, MAX(grade) AS grade FROM enrollment GROUP BY course_id) SELECT course.title, student.name, enrollment.grade FROM enrollment JOIN best ON best.course_id = enrollment.course_id AND best.grade = enrollment.grade JOIN course ON course.course_id = enrollment.course_id JOIN student ON student.student_id = enrollment.student_id;

-- Let me see the three best paid people per department, with department, name and salary. Equal salaries: name order decides.
WITH ranked AS (SELECT department, name, salary, ROW_NUMBER() OVER (PARTITION BY department ORDER BY salary DESC, name) AS place FROM instructor WHERE salary IS NOT NULL) SELECT department, name, salary FROM ranked WHERE place <= 3;

-- How many students come from Berlin?
-- evidence: home towns are written in any mix of upper and lower case
SELECT COUNT(*) FROM student WHERE LOWER(hometown) = 'berlin';

-- Count passes and fails over all graded enrollments.
-- evidence: a grade of 60 or more is a pass; call the two 'pass' and 'fail'
SELECT CASE WHEN grade >= 60 THEN 'pass' ELSE 'fail' END AS outcome, COUNT(*) FROM enrollment WHERE grade IS NOT NULL GROUP BY outcome;

-- Treating a missing scholarship as 0, what does a student get on average, by entry year?
SELECT entry_year, AVG(COALESCE(scholarship, 0)) FROM student GROUP BY entry_year;

-- Departments where we employ a lecturer and also offer a graduate course
SELECT department FROM instructor WHERE position = 'lecturer' INTERSECT SELECT department FROM course WHERE level = 'graduate';

-- Students with broad interests: name and number of departments.
-- evidence: broad interests are shown by enrollments in courses of at least three different departments
SELECT student.name, COUNT(DISTINCT course.department) FROM student JOIN enrollment ON enrollment.student_id = student.student_id JOIN course ON course.course_id = enrollment.course_id GROUP BY student.student_id, student.name HAVING COUNT(DISTINCT course.department) >= 3;

-- Which students scored 90 or better in a course outside their major's department? Student, course, grade.
SELECT student.name, course.title, enrollment.grade FROM student JOIN enrollment ON enrollment.student_id = student.student_id JOIN course ON course.course_id = enrollment.course_id WHERE course.department <> student.major AND enrollment.grade >= 90;

-- In which months do people get hired? Month as two digits with the number of hires, January to December.
SELECT strftime('%m', hire_date) AS month, COUNT(*) FROM instructor GROUP BY month ORDER BY month;

-- I need everyone born in 2002 on one list, youngest first and people with one birthday by name: name and birth date.
SELECT name, birth_date FROM student WHERE strftime('%Y', birth_date) = '2002' ORDER BY birth_date DESC, name;

-- What is our fullest course, or courses if several have equally many students?
SELECT course.title FROM course JOIN enrollment ON enrollment.course_id = course.course_id GROUP BY course.course_id, course.title HAVING COUNT(*) = (SELECT MAX(size) FROM (SELECT COUNT(*) AS size FROM enrollment GROUP BY course_id));

-- What share of the enrollments in each term is still without a grade, in percent?
SELECT term, 100.0 * (COUNT(*) - COUNT(grade)) / COUNT(*) FROM enrollment GROUP BY term;
