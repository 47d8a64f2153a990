-- How many products have been discontinued?
SELECT COUNT(*) FROM product WHERE discontinued = 1;

-- What can I buy for the garden for less than 10? Names and prices.
SELECT name, "unit price" FROM product WHERE category = 'garden' AND "unit price" < 10;

-- Which countries do our suppliers come from?
SELECT DISTINCT country FROM supplier;

-- Customers without a phone number
SELECT name FROM customer WHERE phone IS NULL;

-- Look up the references of all orders that were cancelled in 2023.
SELECT reference FROM orders WHERE status = 'cancelled' AND strftime('%Y', order_date) = '2023';

-- I want the ten heaviest products, heaviest first, with their weights. When two weigh the same, sort by name.
SELECT name, weight FROM product WHERE weight IS NOT NULL ORDER BY weight DESC, name LIMIT 10;

-- Give me the price range per category, cheapest and dearest.
SELECT category, MIN("unit price"), MAX("unit price") FROM product GROUP BY category;

-- Anything made of oak?
-- evidence: the material is the first word of the product name
SELECT name FROM product WHERE name LIKE 'Oak %';

-- How are orders usually paid? Every payment method with its number of orders, most used first, ties in alphabetical order.
SELECT payment, COUNT(*) FROM orders GROUP BY payment ORDER BY COUNT(*) DESC, payment;

-- Show the products from Italian suppliers: product, supplier.
SELECT product.name, supplier.name FROM product JOIN supplier ON product.supplier_id = supplier.supplier_id WHERE supplier.country = 'Italy';

-- For each customer, newsletter readers only, how many orders have they placed? Keep those at zero.
SELECT customer.name, COUNT(orders.order_id) FROM customer LEFT JOIN orders ON orders.customer_id = customer.customer_id WHERE customer.newsletter = 1 GROUP BY customer.customer_id, customer.name;

-- Are there suppliers we currently get nothing from?
SELECT supplier.name FROM supplier LEFT JOIN product ON product.supplier_id = supplier.supplier_id WHERE product.product_id IS NULL;

-- Name the products that were never ordered.
SELECT name FROM product WHERE product_id NOT IN (SELECT product_id FROM order_line);

-- Suppliers with four or more products in our range, please, together with how many it is.
SELECT supplier.name, COUNT(*) FROM supplier JOIN product ON product.supplier_id = supplier.supplier_id GROUP BY supplier.supplier_id, supplier.name HAVING COUNT(*) >= 4;

-- What is each order worth before discounts? Reference and total rounded to two decimals; orders without lines can be left out.
-- evidence: a line is worth quantity times unit price
SELECT orders.reference, ROUND(SUM(order_line.quantity * product."unit price"), 2) FROM orders JOIN order_line ON order_line.order_id = orders.order_id JOIN product ON product.product_id = order_line.product_id GROUP BY orders.order_id, orders.reference;

-- Who wrote a one-star review? I don't need anyone twice.
SELECT DISTINCT customer.name FROM customer JOIN review ON review.customer_id = customer.customer_id WHERE review.stars = 1;

-- Show me the well-loved products.
-- evidence: well-loved means two reviews or more and an average above 4 stars
SELECT product.name FROM product JOIN review ON review.product_id = product.product_id GROUP BY product.product_id, product.name HAVING COUNT(*) >= 2 AND AVG(review.stars) > 4;

-- Find people who reviewed a product that they never bought here.
SELECT DISTINCT customer.name FROM customer JOIN review ON review.customer_id = customer.customer_id WHERE NOT EXISTS (SELECT 1 FROM orders JOIN order_line ON order_line.order_id = orders.order_id WHERE orders.customer_id = customer.customer_id AND order_line.product_id = review.product_id);

-- List whatever we have more of in stock than of the average product of its category.
SELECT name FROM product WHERE stock > (SELECT AVG(peer.stock) FROM product AS peer WHERE peer.category = product.category);

-- The warehouse is worried: which products that are not discontinued are out of stock although somebody ordered them in 2024?
SELECT name FROM product WHERE discontinued = 0 AND stock = 0 AND product_id IN (SELECT order_line.product_id FROM order_line JOIN orders ON orders.order_id = order_line.order_id WHERE orders.order_date >= '2024-01-01' AND orders.order_date < '2025-01-01');

-- Which customers have written a review but never placed an order? Names, each once.
SELECT name FROM customer WHERE customer_id IN (SELECT customer_id FROM review EXCEPT SELECT customer_id FROM orders);

-- On how many orders were both something for the kitchen and something for the garden?
SELECT COUNT(*) FROM (SELECT order_line.order_id FROM order_line JOIN product ON product.product_id = order_line.product_id WHERE product.category = 'kitchen' INTERSECT SELECT order_line.order_id FROM order_line JOIN product ON product.product_id = order_line.product_id WHERE product.category = 'garden');

-- How long does shipping take on average, in days, for the orders that have been shipped?
SELECT AVG(julianday(shipped_date) - julianday(order_date)) FROM orders WHERE shipped_date IS NOT NULL;

-- Customers per city, please. Write the cities in lower case so that careless spelling does not split them.
SELECT LOWER(city), COUNT(*) FROM customer GROUP BY LOWER(city);

-- For every customer with orders, show the first order ever: name, reference, date. Lower order id first if two fall on one day.
WITH numbered AS (SELECT customer_id, reference, order_date, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY order_date, order_id) AS place FROM orders) SELECT customer.name, numbered.reference, numbered.order_date FROM numbered JOIN customer ON customer.customer_id = numbered.customer_id WHERE numbered.place = 1;

-- Tell me which products sold the most pieces overall. If the top spot is shared, name all that share it.
WITH sold AS (SELECT product_id, SUM(quantity) AS pieces FROM order_line GROUP BY product_id) SELECT product.name FROM product JOIN sold ON sold.product_id = product.product_id WHERE sold.pieces = (SELECT MAX(pieces) FROM sold);

-- Orders per quarter of 2024
-- evidence: quarter 1 is January to March and so on; give the quarter as a number from 1 to 4
SELECT (CAST(strftime('%m', order_date) AS INTEGER) + 2) / 3 AS quarter, COUNT(*) FROM orders WHERE strftime('%Y', order_date) = '2024' GROUP BY quarter;

-- How do prices spread? Count products under 10 as 'cheap', from 10 to under 50 as 'normal' and everything else as 'expensive'.
SELECT CASE WHEN "unit price" < 10 THEN 'cheap' WHEN "unit price" < 50 THEN 'normal' ELSE 'expensive' END AS band, COUNT(*) FROM product GROUP BY band;

-- Compare the reviews of each product with the one before: product, review date, stars and the stars of the previous review of the same product (earlier date, then lower review id). First reviews show nothing there.
SELECT product.name, review.review_date, review.stars, LAG(review.stars) OVER (PARTITION BY review.product_id ORDER BY review.review_date, review.review_id) FROM review JOIN product ON product.product_id = review.product_id;

-- What was the biggest discount we ever granted, and on how many order lines?
SELECT discount, COUNT(*) FROM order_line WHERE discount = (SELECT MAX(discount) FROM order_line) GROUP BY discount;
