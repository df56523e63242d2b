/**
 * `arriero serve` meets a fault at every durable call of every thread: killed, EIO, ENOSPC, EMFILE (reliability 4 K and E, 5
 * "commit to store"); on both kinds of catalogue. Kinds of points:
 *
 *     commit    it takes in files and trees in every way there is, and is started again after a kill
 *     rebuild   the same kills; then its catalogue is lost, and made again from the stores (reliability G1)
 *     deletion  copies go into the trash, come back, and are purged (reliability B2, 8.12)
 *     clone     it fetches what another librarian sends
 *     repair    it puts good bytes of another librarian in the place of bad ones (reliability B5)
 *     ingest    it fetches the files of a job, and takes in those of a carried disk
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { sweepFlows } from '../flows/sweep.ts'
import { openCopies, whyNoSecondDevice } from './copies.ts'
import { checkDiskTrouble } from './disk-trouble.ts'
import { type Engine, openEngine } from './engines.ts'
import { Place } from './place.ts'
import { isPossible, showPoint } from './points.ts'
import { purgePoint, tracePurge } from './purge.ts'
import {
  faultsOf,
  mayConcern,
  type PointVerdict,
  reportOf,
  reportOn,
  type SweepOptions,
  sample,
  sweepKinds,
  sweepTasks,
  tasksOf,
} from './sweep-tasks.ts'
import { commitWorkloads, moveWorkloads } from './workloads.ts'

export async function sweepServers(options: SweepOptions): Promise<void> {
  for (const name of ['sqlite', 'postgres'] as const) {
    if (!sweepKinds.some(kind => mayConcern(`${kind} ${name} `, options.only))) continue
    await using engine = await openEngine(name)
    if (!engine) continue
    await sweepUploads(engine, options)
    await sweepMoves(engine, options)
    await sweepPurges(engine, options)
    await sweepFlows(engine, options)
  }
}

/** Files and trees that come in. */
async function sweepUploads(engine: Engine, options: SweepOptions): Promise<void> {
  const { scratch, laneCount, only, tell } = options
  if (!['commit', 'rebuild'].some(kind => mayConcern(`${kind} ${engine.name} `, only))) return
  await using lanes = new AsyncDisposableStack()
  const places: Place[] = []
  for (let lane = 0; lane < laneCount; lane++) {
    const home = join(scratch, `${engine.name}-${lane}`, 'home')
    mkdirSync(home, { recursive: true })
    places.push(lanes.use(await Place.open(home, engine)))
  }
  const all = await tasksOf(engine, places[0]!, commitWorkloads, ['commit', 'rebuild'], options)
  const trouble = `commit ${engine.name} disk that fails twice`
  if (trouble.includes(only)) tell(reportOn('commit', trouble, await checkDiskTrouble(places[0]!)))
  await sweepTasks(engine, places, all, options)
}

/** Copies that go, and come back. */
async function sweepMoves(engine: Engine, options: SweepOptions): Promise<void> {
  const { scratch, laneCount, only } = options
  if (!moveWorkloads.some(({ name }) => mayConcern(`deletion ${engine.name} ${name} `, only))) return
  const reason = whyNoSecondDevice(scratch)
  if (reason !== undefined) {
    console.log(`NOT RUN deletion ${engine.name}: ${reason}`)
    return
  }
  await using lanes = new AsyncDisposableStack()
  const places: Place[] = []
  for (let lane = 0; lane < laneCount; lane++) {
    const home = join(scratch, `${engine.name}-copies-${lane}`, 'home')
    mkdirSync(home, { recursive: true })
    places.push(lanes.use(await openCopies(home, engine)).place)
  }
  const all = await tasksOf(engine, places[0]!, moveWorkloads, ['deletion'], options)
  await sweepTasks(engine, places, all, options)
}

/** What is purged at a start. */
async function sweepPurges(engine: Engine, options: SweepOptions): Promise<void> {
  const { scratch, only, counts, random, isVerbose, tell } = options
  const beginning = `deletion ${engine.name} purge `
  if (!mayConcern(beginning, only) || whyNoSecondDevice(scratch) !== undefined) return
  const home = join(scratch, `${engine.name}-purges`, 'home')
  mkdirSync(home, { recursive: true })
  await using copies = await openCopies(home, engine, { amount: 1 })
  const points = await tracePurge(copies.place)
  const all = faultsOf('deletion').flatMap(fault =>
    points
      .filter(point => isPossible(fault, point))
      .map(point => ({ group: `${beginning}${fault}`, fault, point }))
      .filter(({ group, point }) => `${group} ${showPoint(point)} `.includes(only)),
  )
  const count = counts.deletion === undefined ? all.length : Math.ceil(counts.deletion / 4)
  const results: PointVerdict[] = []
  for (const { group, fault, point } of sample(all, count, random)) {
    const verdict = await purgePoint(copies.place, point, fault)
    results.push({ group, point, ...verdict })
    const outcome = verdict.problems.length > 0 ? 'FAIL' : verdict.isReached ? 'ok' : 'not reached'
    if (isVerbose) console.log(`  ${outcome} ${group} ${showPoint(point)} ${verdict.problems.join('; ')}`)
  }
  for (const group of new Set(results.map(result => result.group))) {
    tell(
      reportOf(
        'deletion',
        group,
        results.filter(result => result.group === group),
      ),
    )
  }
}
