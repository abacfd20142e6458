'use strict';
// One chart a figure; names are those of the metric topic.
const FIGURES = [
  ['rollout/raw_reward', 'Mean reward'],
  ['rollout/response_lengths', 'Response length, tokens'],
  ['train/loss', 'Loss'],
  ['train/ppo_kl', 'KL of the step'],
  ['train/entropy_loss', 'Entropy'],
  ['rollout/policy_lag', 'Policy lag, publications'],
  ['perf/tokens_per_second', 'Tokens trained per second'],
  ['rollout/spec_accept_length', 'EAGLE acceptance length'],
  ['train/grad_norm', 'Gradient norm'],
  ['train/train_rollout_logprob_abs_diff', 'Trainer against engine, |log-prob difference|'],
];
const LAG = 'rollout/policy_lag/count_';
const charts = new Map();
const byId = id => document.getElementById(id);
const get = path => fetch(path).then(reply => reply.ok ? reply.json() : Promise.reject(new Error(path + ' ' + reply.status)));
const short = value => value == null || Number.isNaN(value) ? '–' : Math.abs(value) >= 1000 ? Math.round(value).toLocaleString()
  : Number(value).toPrecision(3);

function rows(table, head, body) {
  table.replaceChildren();
  for (const [cells, tag] of [[head, 'th'], ...body.map(line => [line, 'td'])]) {
    const row = table.insertRow();
    for (const cell of cells) {
      const element = document.createElement(tag);
      element.textContent = cell;
      if (typeof cell === 'number') element.className = 'number';
      row.append(element);
    }
  }
}

function draw(name, title, series) {
  let chart = charts.get(name);
  if (!chart) {
    const box = document.createElement('div');
    box.className = 'chart';
    const head = document.createElement('h2');
    const value = document.createElement('strong');
    head.append(title, value);
    box.append(head);
    byId('charts').append(box);
    const plot = new uPlot({
      width: Math.max(280, box.clientWidth - 18), height: 170, legend: { show: false },
      scales: { x: { time: false } },
      axes: [{ stroke: '#888', grid: { stroke: '#8882' } }, { stroke: '#888', grid: { stroke: '#8882' }, size: 56 }],
      series: [{}, { stroke: '#2563eb', width: 2, points: { show: false } }],
    }, [[], []], box);
    new ResizeObserver(() => plot.setSize({ width: Math.max(280, box.clientWidth - 18), height: 170 })).observe(box);
    chart = { plot, value };
    charts.set(name, chart);
  }
  chart.plot.setData(series ? [series.steps, series.values] : [[], []]);
  chart.value.textContent = series ? short(series.values.at(-1)) : '–';
}

function converting(conversion) {
  const what = conversion.direction === 'to_torch_dist' ? 'conversion' : 'export';
  return conversion.waitingFor ? `${what} waits for ${conversion.waitingFor}`
    : `${what}: ${Math.floor(100 * conversion.bytesDone / Math.max(1, conversion.bytesTotal))} %`;
}

function handOver(hand) {
  if (!hand.placement) return '';
  const awaited = hand.now && hand.now.awaited.length ? `, waits for ${hand.now.awaited.join(', ')}` : '';
  return ` · ${hand.placement}, weights by ${hand.transport}` + (hand.now ? ` · phase ${hand.now.phase} (${hand.now.number})${awaited}` : '');
}

function show(page) {
  const run = page.run;
  byId('phase').textContent = run.position ? `${run.phase}, place ${run.position}` : run.phase;
  byId('phase').className = 'badge ' + run.phase;
  byId('progress').textContent = `${run.name} · ${run.kind}, priority ${run.priority} · step ${run.step} of ${run.steps} · weights v${page.weightVersion} · epoch ${page.epoch}${handOver(page.handOver)}`;
  byId('wait').textContent = page.conversion ? converting(page.conversion)
    : page.waiting ? `waits for ${page.waiting.waitingFor}: ${page.waiting.reason}` : '';
  for (const [name, title] of FIGURES) draw(name, title, page.series[name]);
  rows(byId('tokens'), ['bucket', 'tokens'], [...Object.entries(page.tokens), ['all generated', page.tokensGenerated]]);
  rows(byId('lags'), ['policy lag', 'groups of the last step'], Object.entries(page.series)
    .filter(([name]) => name.startsWith(LAG)).map(([name, series]) => [name.slice(LAG.length), series.values.at(-1)]));
  const seats = page.seatTime;
  const all = bucket => seats.engines[bucket] + seats.worker[bucket];
  rows(byId('time'), [seats.unit, 'engines', 'worker', 'both'],
    [...Object.keys(seats.engines).map(bucket => [bucket, short(seats.engines[bucket]), short(seats.worker[bucket]), short(all(bucket))]),
      ['a trained token', '', '', short(page.seatTimePerTrainedToken)],
      ['control plane, ms a step', '', '', page.controlPlane ? short(page.controlPlane.millis) : '–']]);
  rows(byId('evaluations'), ['set', 'step', 'samples', run.kind === 'supervised' ? 'mean log-probability of a token' : 'mean reward'],
    page.evaluations.map(one => [one.set, one.step, one.samples, short(one.meanReward)]));
  rows(byId('engines'), ['engine', 'state', 'weights', 'update', ''],
    page.engines.slice(-12).map(one => [one.engineId, one.state, one.weightVersion, short(one.loadSeconds) + ' s', one.detail]));
  rows(byId('history'), ['at', 'what'],
    page.history.slice(-25).reverse().map(one => [new Date(one.at).toLocaleTimeString(), one.what]));
}

let chosen = '';
async function refresh() {
  const runs = await get('api/runs');
  const select = byId('runs');
  if (select.options.length !== runs.length) {
    select.replaceChildren(...runs.map(run => new Option(run.runId, run.runId)));
  }
  if (!runs.some(run => run.runId === chosen)) chosen = runs.length ? runs[0].runId : '';
  select.value = chosen;
  const instances = await get('api/instances');
  rows(byId('instances'), ['instance', 'role', 'state', 'pid', 'heartbeat'],
    instances.map(one => [one.instanceId, one.role, one.state, one.pid, new Date(one.heartbeat).toLocaleTimeString()]));
  if (chosen) show(await get('api/runs/' + encodeURIComponent(chosen)));
}

byId('runs').addEventListener('change', event => { chosen = event.target.value; refresh(); });
let busy = false;
new EventSource('api/changes').onmessage = () => {
  if (busy) return;
  busy = true;
  refresh().catch(console.error).finally(() => { busy = false; });
};
