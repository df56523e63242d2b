import { type Command, Option } from 'commander'
import { type Context, printJson } from '../context.ts'
import { loadEngine } from '../engine.ts'
import { ProgramError, toLine } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import {
  type Librarian,
  type LibrarianFlags,
  librarianOption,
  loadClient,
  patientRetries,
  withLibrarian,
} from '../librarian/client.ts'
import { type IngestEntry, ingestEntries } from '../librarian/ingest-entries.ts'
import { shownTime, showTable } from '../librarian/show-table.ts'
import { progressMode, progressModes, withProgress } from '../progress/with-progress.ts'
import { count, printable } from '../text.ts'
import { formatSize } from '../units.ts'
import type { Run } from './define.ts'

interface IngestFlags extends LibrarianFlags {
  readonly into?: string
  readonly deletion?: 'allowed' | 'disallowed'
  readonly allowUnattested?: boolean
  readonly wait?: boolean
  readonly jobs?: boolean
  readonly job?: string
  readonly cancel?: string
  readonly progress?: (typeof progressModes)[number]
}

export function define(command: Command, run: Run): void {
  command
    .argument('[manifest]', 'a list as for get, or the address of one')
    .usage('<manifest> [--into PREFIX]  |  --jobs  |  --job ID')
    .addOption(librarianOption())
    .addOption(new Option('--into <PREFIX>', 'what comes before every name'))
    .addOption(
      new Option('--deletion <POLICY>', 'may the librarian delete its copies by its rules').choices([
        'allowed',
        'disallowed',
      ]),
    )
    .addOption(new Option('--allow-unattested', 'take rows without a checksum, marked so for ever'))
    .addOption(new Option('--no-wait', 'only begin it'))
    .addOption(new Option('--jobs', 'list the jobs'))
    .addOption(new Option('--job <ID>', 'follow this one until it is over'))
    .addOption(new Option('--cancel <ID>', 'stop this one; what is kept stays'))
    .addOption(new Option('--progress <KIND>', 'bar on a terminal, else plain lines').choices(progressModes))
  command.addHelpText(
    'after',
    `
Examples:
  arriero ingest list.csv --into 2026
  arriero ingest https://data.example.org/list.json --into 2026 --no-wait
  arriero ingest --jobs

The librarian fetches the files itself, verifies and keeps them. It goes on when
this program ends; --job follows it again. A job is done when all is kept, else
it has failed, and the exit code is 1; what is kept stays.`,
  )
  command.action(run(ingest))
}

async function ingest([manifest]: string[], flags: IngestFlags, context: Context): Promise<number> {
  const wishes = [manifest !== undefined, flags.jobs, flags.job !== undefined, flags.cancel !== undefined]
  if (wishes.filter(Boolean).length !== 1) {
    throw new ProgramError('Usage', 'Give a manifest, or one of --jobs, --job and --cancel.')
  }
  return withLibrarian(
    flags,
    context,
    async librarian => {
      if (flags.jobs) return listJobs(librarian, context)
      const known = flags.cancel ?? flags.job
      if (known !== undefined) await assertJob(known, librarian, context)
      if (flags.cancel !== undefined) return cancel(librarian, flags.cancel, context)
      const jobs = flags.job === undefined ? await begin(manifest!, librarian, flags, context) : [flags.job]
      if (flags.wait === false) return tellBegun(jobs, context)
      let code: number = exitCodes.ok
      for (const job of jobs)
        if ((await follow(job, librarian, flags, context)) !== exitCodes.ok) code = exitCodes.someFailed
      return code
    },
    { retries: patientRetries },
  )
}

/** What is no number of a job is none of this librarian's either; both are told with the way to those that are. */
async function assertJob(id: string, { api }: Librarian, context: Context): Promise<void> {
  const none = (why: string) =>
    new ProgramError('NotFound', `There is no job ${printable(id)}: ${why}.`, {
      remedy: 'arriero ingest --jobs lists the jobs.',
    })
  if (!/^[0-9a-f]{32}$/.test(id)) throw none('a job’s number is 32 digits from 0 to f')
  try {
    await api.ingest.status({ job_id: id, item_statuses: [] }, { signal: context.signal })
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'NotFound') throw error
    throw none('this librarian has none of this number that is yours')
  }
}

/** Most rows of one call; the wire's own limit is as large. */
const MOST_ENTRIES = 10_000

/** One job for an address or a list; very long lists are several, one after the other. */
async function begin(manifest: string, librarian: Librarian, flags: IngestFlags, context: Context): Promise<string[]> {
  const common = {
    prefix: flags.into?.replace(/\/+$/, ''),
    deletion_policy: flags.deletion === 'allowed' ? 'ALLOWED' : 'DISALLOWED',
    allow_unattested: flags.allowUnattested ?? false,
  }
  const call = { signal: context.signal }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(manifest)) {
    const job = await librarian.api.ingest.create({ ...common, manifest_uri: manifest }, call)
    return [job.job_id]
  }
  const door = await loadEngine()
  const jobs: string[] = []
  let entries: IngestEntry[] = []
  const send = async () => {
    if (entries.length > 0) jobs.push((await librarian.api.ingest.create({ ...common, entries }, call)).job_id)
    entries = []
  }
  for await (const entry of ingestEntries(manifest, door)) {
    entries.push(entry)
    if (entries.length === MOST_ENTRIES) await send()
  }
  await send()
  if (jobs.length === 0) throw new ProgramError('Usage', `The list ${manifest} has no rows.`)
  return jobs
}

function tellBegun(jobs: readonly string[], context: Context): number {
  for (const job of jobs) {
    if (context.flags.json) printJson(context, { ok: true, job_id: job })
    else context.terminal.stdout.write(`${job}\n`)
  }
  return exitCodes.ok
}

async function follow(jobId: string, librarian: Librarian, flags: IngestFlags, context: Context): Promise<number> {
  context.onInterrupt = () => `The librarian goes on; follow it with: arriero ingest --job ${jobId}`
  const client = await loadClient()
  const { Progress } = await loadEngine()
  const progress = new Progress()
  let last: Awaited<ReturnType<Librarian['api']['ingest']['create']>> | undefined
  await withProgress(context, progressMode(context, flags.progress), progress, {}, async () => {
    for await (const job of client.followJob(librarian, jobId, { signal: context.signal })) {
      last = job
      progress.listed = job.total
      progress.isListed = job.status !== 'queued'
      progress.done = job.done
      progress.failed = job.failed
      progress.received = job.bytes
    }
  })
  if (!last) return exitCodes.someFailed
  for await (const item of client.jobItems(librarian, jobId, ['failed'], context.signal)) {
    if (context.flags.json) printJson(context, { ok: false, ...item })
    else
      context.say(
        `${context.style.red('failed')} ${toLine({ message: item.reason ?? 'no reason was given', code: '' }, printable(item.name))}`,
      )
  }
  if (context.flags.json) printJson(context, { summary: last })
  else if (!context.flags.quiet) {
    const why = last.reason === null ? '' : ` (${printable(last.reason)})`
    context.say(`${last.status}${why}: ${count(last.done, 'file')} kept, ${formatSize(last.bytes)}`)
  }
  return last.status === 'done' ? exitCodes.ok : exitCodes.someFailed
}

async function listJobs(librarian: Librarian, context: Context): Promise<number> {
  const rows: (string | number)[][] = []
  for (let after: string | undefined; ; ) {
    const page = await librarian.api.ingest.list({ after, max_results: 500 }, { signal: context.signal })
    for (const job of page.jobs) {
      if (context.flags.json) printJson(context, job)
      else rows.push([job.job_id, job.status, job.owner, shownTime(job.created_time), job.total, job.done, job.failed])
    }
    if (page.next === null) break
    after = page.next
  }
  if (!context.flags.json)
    showTable(['Job', 'State', 'Owner', 'Created (UTC)', 'Files', 'Kept', 'Failed'], rows, context)
  return exitCodes.ok
}

async function cancel(librarian: Librarian, jobId: string, context: Context): Promise<number> {
  const job = await librarian.api.ingest.cancel({ job_id: jobId }, { signal: context.signal })
  if (context.flags.json) printJson(context, { ok: true, ...job })
  else if (!context.flags.quiet) context.say(`${job.job_id} is ${job.status}`)
  return exitCodes.ok
}
