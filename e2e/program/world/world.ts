/**
 * Three librarians as whole processes, with the roads between them:
 *
 *     peru ── fibre ──▶ chile ── fibre ──▶ brazil
 *       └──────────── carried disk ──────────▲
 *
 * so that what was uploaded in Peru reaches Brazil by two ways, in any order, or by both at once.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningLibrarian, startLibrarian } from '../serve.ts'
import { acquaint, logIn, openPerson, type Person, siteSettings } from '../sites.ts'

export const siteNames = ['peru', 'chile', 'brazil'] as const
export type SiteName = (typeof siteNames)[number]

export interface World extends Person, AsyncDisposable {
  readonly folder: string
  readonly sites: Readonly<Record<SiteName, RunningLibrarian>>
}

/** Whom each sends to by fibre. */
export const fibre: Readonly<Record<SiteName, readonly SiteName[]>> = { peru: ['chile'], chile: ['brazil'], brazil: [] }

export async function openWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'arriero-world-'))
  const person = await openPerson(folder)
  const started = await Promise.allSettled(siteNames.map(name => startLibrarian(person.at(name), optionsOf(name))))
  const open = started.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []))
  const close = async () => {
    await Promise.all(open.map(site => site.stop()))
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const failed = started.find(each => each.status === 'rejected')
    if (failed) throw failed.reason
    const [peru, chile, brazil] = open as [RunningLibrarian, RunningLibrarian, RunningLibrarian]
    await logIn(person, { peru, chile, brazil })
    await Promise.all([
      acquaint(person, { peru }, { chile }, true),
      acquaint(person, { chile }, { brazil }, true),
      acquaint(person, { peru }, { brazil }, true),
    ])
    // At the start there was nobody to send to.
    await Promise.all(['peru', 'chile'].map(name => person.good(['tasks', 'run', 'send_clone', '--librarian', name])))
    return { ...person, folder, sites: { peru, chile, brazil }, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

const often = { every: '00:00:01' }
/** Not by itself: New Year is far enough. */
const onDemand = { at: '0 0 1 1 *' }

function optionsOf(name: SiteName) {
  const sends = fibre[name].map(destination_librarian => ({
    task_name: `to ${destination_librarian}`,
    ...often,
    destination_librarian,
    age_in_days: 1000,
    store_preference: null,
    send_batch_size: 16,
    warn_disabled_timer: null,
  }))
  const background = {
    send_clone: sends,
    consume_queue: [{ task_name: 'queue', ...often }],
    check_consumed_queue: [{ task_name: 'check', ...often }],
    recieve_clone: [{ task_name: 'receive', ...often, deletion_policy: 0, files_per_run: 1024 }],
    // What was read when it was committed is to be read again.
    scrub: [{ task_name: 'scrub', ...onDemand, store_name: 'files', period: 'PT1S' }],
  }
  return { settings: { ...siteSettings(name), background, deletion: { proofs: 2 } } }
}
