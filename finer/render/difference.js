// Two texts as one: words and spaces that both have, and what only one has.
const MOST_WORDS = 1000;

// The longest common run of words, by the usual table; what only the old text has is struck out, what only the new has underlined.
function difference(old, now) {
  const [mine, theirs] = [old, now].map((one) => (one.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) || []).slice(0, MOST_WORDS));
  const wide = theirs.length + 1;
  const common = new Uint16Array((mine.length + 1) * wide);
  for (let i = mine.length - 1; i >= 0; i--)
    for (let j = theirs.length - 1; j >= 0; j--)
      common[i * wide + j] = mine[i] === theirs[j] ? common[(i + 1) * wide + j + 1] + 1 : Math.max(common[(i + 1) * wide + j], common[i * wide + j + 1]);
  const pieces = [];
  const put = (kind, word) => (pieces.length && pieces.at(-1)[0] === kind ? (pieces.at(-1)[1] += word) : pieces.push([kind, word]));
  let [i, j] = [0, 0];
  while (i < mine.length || j < theirs.length) {
    if (i < mine.length && j < theirs.length && mine[i] === theirs[j]) { put("", mine[i]); i++; j++; }
    else if (j === theirs.length || (i < mine.length && common[(i + 1) * wide + j] >= common[i * wide + j + 1])) put("del", mine[i++]);
    else put("ins", theirs[j++]);
  }
  return pieces.map(([kind, words]) => (kind ? element(kind, {}, words) : words));
}

