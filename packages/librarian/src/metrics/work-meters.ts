/** What this process does, counted as it does it. */
import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client'
import type { Meters } from '../services/meters.ts'

/** From an answer out of memory to an upload of a day. */
const requestBuckets = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600, 3600]
const commitBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600, 3600]
const runBuckets = [0.01, 0.1, 1, 10, 60, 600, 3600, 6 * 3600, 24 * 3600]

export function createWorkMeters(registry: Registry): Meters {
  const registers = [registry]
  const requests = new Counter({
    name: 'arriero_http_requests_total',
    help: 'Requests that have ended, by route and class of the answer; none: the caller went before it.',
    labelNames: ['method', 'route', 'status'],
    registers,
  })
  const seconds = new Histogram({
    name: 'arriero_http_request_duration_seconds',
    help: 'From the head of a request to the end of its answer.',
    labelNames: ['method', 'route'],
    buckets: requestBuckets,
    registers,
  })
  const underWay = new Gauge({
    name: 'arriero_http_requests_under_way',
    help: 'Requests that are being answered.',
    registers,
  })
  const received = new Counter({
    name: 'arriero_http_received_bytes_total',
    help: 'Bytes of requests, heads included.',
    labelNames: ['route'],
    registers,
  })
  const sent = new Counter({
    name: 'arriero_http_sent_bytes_total',
    help: 'Bytes of answers, heads included.',
    labelNames: ['route'],
    registers,
  })
  const commits = new Counter({
    name: 'arriero_commits_total',
    help: 'Commits by where the bytes came from (staging, spool, memory, place) and outcome; same: the name had these very bytes.',
    labelNames: ['origin', 'outcome'],
    registers,
  })
  const committed = new Counter({
    name: 'arriero_committed_bytes_total',
    help: 'Bytes of files that were committed.',
    labelNames: ['origin'],
    registers,
  })
  const commitSeconds = new Histogram({
    name: 'arriero_commit_duration_seconds',
    help: 'From the wish to commit to where it is safe to tell the sender.',
    labelNames: ['origin'],
    buckets: commitBuckets,
    registers,
  })
  const runs = new Counter({
    name: 'arriero_task_runs_total',
    help: 'Runs of tasks by this process.',
    labelNames: ['kind', 'outcome'],
    registers,
  })
  const runSeconds = new Histogram({
    name: 'arriero_task_run_duration_seconds',
    help: 'How long runs of tasks took this process.',
    labelNames: ['kind'],
    buckets: runBuckets,
    registers,
  })
  return {
    request() {
      underWay.inc()
      return ({ method, route, status, ...of }) => {
        underWay.dec()
        requests.inc({ method, route, status: classOf(status) })
        seconds.observe({ method, route }, of.seconds)
        received.inc({ route }, of.received)
        sent.inc({ route }, of.sent)
      }
    },
    commit({ origin, outcome, bytes, seconds: took }) {
      commits.inc({ origin, outcome })
      committed.inc({ origin }, bytes)
      commitSeconds.observe({ origin }, took)
    },
    run({ kind, outcome, seconds: took }) {
      runs.inc({ kind, outcome })
      runSeconds.observe({ kind }, took)
    },
  }
}

function classOf(status: number | undefined): string {
  return status === undefined ? 'none' : `${Math.floor(status / 100)}xx`
}
