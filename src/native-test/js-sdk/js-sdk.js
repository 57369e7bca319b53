// Initialises the unmodified SDK, evaluates, reaches a goal, and reads back what the service has counted.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { defineBKTConfig, defineBKTUser, getBKTClient, initializeBKTClient, destroyBKTClient } from '@bucketeer/js-client-sdk';

const PATIENCE_MILLIS = 15_000;
const [url, key, flagServerPort] = process.argv.slice(2);
const run = Date.now().toString(36);
const flag = `js-sdk-${run}`;
const missingFlag = `js-sdk-missing-${run}`;

/** A flag server that knows one flag. Notes what it was asked. */
async function startFlagServer(port) {
  const asked = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      asked.push({ path: request.url, authorization: request.headers.authorization, body: JSON.parse(body) });
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(evaluationsFor(JSON.parse(body).user.id)));
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { asked, close: () => server.close() };
}

function evaluationsFor(userId) {
  const evaluation = {
    id: `${flag}:3:${userId}`,
    featureId: flag,
    featureVersion: 3,
    userId,
    variationId: 'var-true',
    variationName: 'true',
    variationValue: 'true',
    reason: { type: 'RULE', ruleId: 'rule-1' },
  };
  const createdAt = Math.floor(Date.now() / 1000).toString();
  return {
    state: 'FULL',
    evaluations: { id: 'e', evaluations: [evaluation], createdAt, forceUpdate: true, archivedFeatureIds: [] },
    userEvaluationsId: 'e',
  };
}

/** The SDK's own fetch, watched. */
function watched(answers) {
  return async (address, init) => {
    const response = await fetch(address, init);
    answers.push({ path: new URL(address).pathname, status: response.status, body: await response.clone().text() });
    return response;
  };
}

/** Events of a flag in the last 24 hours, by variation. */
async function counts(featureId) {
  const query = new URLSearchParams({ featureId, timeRange: 'TWENTY_FOUR_HOURS' });
  const response = await fetch(`${url}/v1/evaluation_timeseries_count?${query}`, { headers: { authorization: key } });
  assert.equal(response.status, 200, await response.clone().text());
  const series = (await response.json()).eventCounts;
  return Object.fromEntries(series.map((each) => [each.variationId, Number(each.timeseries.totalCounts)]));
}

async function eventually(expected, read) {
  const deadline = Date.now() + PATIENCE_MILLIS;
  for (;;) {
    const seen = await read();
    try {
      assert.deepEqual(seen, expected);
      return;
    } catch (difference) {
      if (Date.now() > deadline) throw difference;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

const answers = [];
const flagServer = flagServerPort ? await startFlagServer(Number(flagServerPort)) : null;
const config = defineBKTConfig({
  apiKey: key,
  apiEndpoint: url,
  appVersion: '1.2.3',
  featureTag: 'web',
  userAgent: 'js-sdk-test',
  fetch: watched(answers),
});

/** Evaluates as one user. The SDK sends an evaluation that it repeats within some seconds only once. */
async function visit(userId) {
  await initializeBKTClient(config, defineBKTUser({ id: userId, customAttributes: { country: 'JP' } }), 5_000);
  const client = getBKTClient();
  const value = client.booleanVariation(flag, false);
  client.stringVariation(missingFlag, 'fallback');
  client.track(`goal-${run}`, 12.5);
  await client.flush();
  destroyBKTClient();
  return value;
}

const served = [];
for (const userId of ['user-1', 'user-2', 'user-3']) served.push(await visit(userId));
flagServer?.close();

assert.equal(answers[0].path, '/get_evaluations');
assert.equal(answers[0].status, 200, answers[0].body);
const registered = answers.filter((answer) => answer.path === '/register_events');
assert.ok(registered.length > 0, 'the SDK has sent nothing');
for (const answer of registered) {
  assert.deepEqual([answer.status, answer.body], [200, '{"errors":{}}']);
}
if (flagServer) {
  assert.deepEqual(served, [true, true, true]);
  assert.equal(flagServer.asked[0].path, '/get_evaluations');
  assert.equal(flagServer.asked[0].authorization, key);
  assert.equal(flagServer.asked[0].body.user.id, 'user-1');
  await eventually({ 'var-true': 3, default: 0 }, () => counts(flag));
} else {
  assert.deepEqual(served, [false, false, false]);
  await eventually({ default: 3 }, () => counts(flag));
}
await eventually({ default: 3 }, () => counts(missingFlag));
console.log(`The SDK was served ${served.join(', ')}, and its evaluations are counted.`);
process.exit(0);
