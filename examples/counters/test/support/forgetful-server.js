// A service that answers at once and keeps its counts in memory alone: what a kill must show.
import { createServer } from 'node:http';

const counts = new Map();
const server = createServer((request, response) => {
  const client = request.url.split('/')[2];
  if (request.url === '/stats') {
    response.end(JSON.stringify(STATS));
  } else if (client === undefined) {
    response.end(JSON.stringify([...counts].map(([name, hits]) => ({ client: name, hits }))));
  } else {
    const hits = (counts.get(client) ?? 0) + 1;
    counts.set(client, hits);
    response.end(JSON.stringify({ client, hits }));
  }
});
const STATS = { updates: 0, flushedKeys: 0, replayedRecords: 0 };
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.once('SIGTERM', () => {
  process.send(STATS, () => process.exit(0));
});
