/** Points of flows between librarians: the one that receives, repairs or fetches meets the fault. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Engine } from '../commit/engines.ts'
import type { Place } from '../commit/place.ts'
import { mayConcern, type SweepKind, type SweepOptions, sweepTasks, tasksOf } from '../commit/sweep-tasks.ts'
import type { CommitWorkload } from '../commit/workloads.ts'
import { startServer } from '../server.ts'
import { carryWorkload } from './carry.ts'
import { cloneWorkloads } from './clone.ts'
import { openDownstream } from './downstream.ts'
import { ingestWorkloads } from './ingest.ts'
import { bringRepairable, repairWorkloads } from './repair.ts'

export async function sweepFlows(engine: Engine, options: SweepOptions): Promise<void> {
  const { scratch, laneCount, only } = options
  const files = new Map<string, Buffer>()
  await using origin = await startServer(files, 0)
  const flows: readonly (readonly [SweepKind, readonly CommitWorkload[]])[] = [
    ['clone', cloneWorkloads],
    ['repair', repairWorkloads],
    ['ingest', [...ingestWorkloads({ url: origin.url, files }), carryWorkload]],
  ]
  const wanted = flows.filter(([kind]) => mayConcern(`${kind} ${engine.name} `, only))
  if (wanted.length === 0) return
  await using lanes = new AsyncDisposableStack()
  const places: Place[] = []
  const originPort = Number(new URL(origin.url).port)
  for (let lane = 0; lane < laneCount; lane++) {
    const home = join(scratch, `${engine.name}-flows-${lane}`, 'home')
    mkdirSync(home, { recursive: true })
    const downstream = await openDownstream(home, engine, { originPort, prepare: bringRepairable })
    places.push(lanes.use(downstream).place)
  }
  const tasks = []
  for (const [kind, workloads] of wanted) tasks.push(...(await tasksOf(engine, places[0]!, workloads, [kind], options)))
  await sweepTasks(engine, places, tasks, options)
}
