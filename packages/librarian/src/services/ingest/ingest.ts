/** Files that the librarian fetches itself, as jobs that outlive processes. */
import { randomBytes } from 'node:crypto'
import { fileNameProblem, LibrarianError } from '@arriero/api'
import { redactUrl } from '@arriero/transfer'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Job, JobItem, NewItem } from '../../catalogue/operations/jobs.ts'
import type { IngestSettings } from '../../config.ts'
import type { Caller } from '../../routes/route.ts'
import { isAmong } from './allows-host.ts'
import { type IngestEntry, type IngestRequest, writeEntry, writeRequest } from './rows.ts'

export const ingestKind = 'ingest'

export interface IngestOptions {
  readonly catalogue: Pick<Catalogue, 'jobs'>
  /** Nothing may be fetched: say so at once. */
  readonly isOff: boolean
  /** Schemes that may be fetched, lower case, without colon. */
  readonly schemes: readonly string[]
  /** By name, as the settings have them. */
  readonly credentials: IngestSettings['credentials']
  /** A job was made, or cancelled: whoever works looks now. */
  readonly onChange: (jobId: string) => void
}

export interface NewIngest extends Omit<IngestRequest, 'isListed' | 'uploader'> {
  readonly entries: readonly NamedEntry[] | undefined
  readonly uploader: string | undefined
}

export interface NamedEntry extends Pick<IngestEntry, 'uris' | 'size' | 'checksum'> {
  readonly name: string
}

export interface Ingest {
  /** @throws LibrarianError BadRequest, BadName, Denied */
  create(wanted: NewIngest, caller: Caller): Promise<Job>
  /** Below ADMIN one's own. @throws LibrarianError NotFound */
  get(id: string, caller: Caller): Promise<Job>
  items(
    id: string,
    page: { statuses: readonly JobItem['status'][]; after: number | undefined; limit: number },
    caller: Caller,
  ): Promise<JobItem[]>
  list(search: JobSearch, caller: Caller): Promise<Job[]>
  /** What is kept stays. May be repeated. */
  cancel(id: string, caller: Caller): Promise<Job>
}

export interface JobSearch {
  readonly owner: string | undefined
  readonly statuses: readonly Job['status'][] | undefined
  readonly from: string | undefined
  readonly to: string | undefined
  readonly after: string | undefined
  readonly limit: number
}

export function createIngest(options: IngestOptions): Ingest {
  const { catalogue, onChange } = options

  async function get(id: string, caller: Caller): Promise<Job> {
    const job = await catalogue.jobs.get({ id })
    if (job?.kind === ingestKind && (caller.level === 'ADMIN' || job.owner === caller.name)) return job
    throw new LibrarianError('NotFound', `Cannot find job ${id}: you have none of this number`)
  }

  return {
    async create({ entries = [], ...request }, caller) {
      if (options.isOff) {
        throw new LibrarianError('Conflict', 'Cannot fetch anything: no host may be fetched from here', {
          remedy: 'Ask the operator to allow hosts in the settings (ingest).',
        })
      }
      checkRequest(request, options)
      const items = entries.map((entry, position) => itemOf(entry, position, request, options))
      assertDistinct(items)
      const id = randomBytes(16).toString('hex')
      const uploader = request.uploader ?? caller.name
      const text = writeRequest({ ...request, uploader, isListed: request.manifestUri === undefined })
      const job = await catalogue.jobs.create({
        job: { id, kind: ingestKind, owner: caller.name, request: text },
        items,
      })
      onChange(id)
      return job
    },
    get,
    async items(id, { statuses, after, limit }, caller) {
      await get(id, caller)
      return catalogue.jobs.items({ jobId: id, statuses, limit, ...(after === undefined ? {} : { after }) })
    },
    list: (search, caller) =>
      catalogue.jobs.list({
        ...search,
        kind: ingestKind,
        owner: caller.level === 'ADMIN' ? search.owner : caller.name,
      }),
    async cancel(id, caller) {
      await get(id, caller)
      await catalogue.jobs.cancel({ id, reason: `cancelled by ${caller.name}` })
      onChange(id)
      return get(id, caller)
    },
  }
}

function checkRequest({ credentials, manifestUri, prefix }: Omit<NewIngest, 'entries'>, options: IngestOptions): void {
  if (credentials !== undefined && !Object.hasOwn(options.credentials, credentials)) {
    throw refuse(`the settings must have credentials of the name ${JSON.stringify(credentials)}`)
  }
  const problem = prefix === undefined ? undefined : fileNameProblem(prefix)
  if (problem !== undefined) throw new LibrarianError('BadName', `Cannot use the prefix: ${problem}`)
  if (manifestUri !== undefined) {
    const problem = uriProblem(manifestUri, credentials, options)
    if (problem !== undefined) throw refuse(`manifest_uri: ${problem}`)
  }
}

function itemOf(
  { name, ...entry }: NamedEntry,
  position: number,
  { prefix, allowUnattested, credentials }: Pick<NewIngest, 'prefix' | 'allowUnattested' | 'credentials'>,
  options: IngestOptions,
): NewItem {
  const full = prefix === undefined ? name : `${prefix}/${name}`
  const problem = fileNameProblem(full)
  if (problem !== undefined) throw new LibrarianError('BadName', `Cannot use the name of entry ${position}: ${problem}`)
  const bad = entry.uris.map(uri => uriProblem(uri, credentials, options)).find(found => found !== undefined)
  if (bad !== undefined) throw refuse(`entry ${position}: ${bad}`)
  if (entry.checksum === undefined && !allowUnattested) {
    throw refuse(`entry ${position}: it must have a checksum, or unattested entries be allowed`)
  }
  return { position, name: full, entry: writeEntry(entry), reason: null }
}

/**
 * What forbids a URI from the outset; hosts and addresses are judged when they are connected to. Secrets in it would stand in
 * the job's rows, so they are refused (reliability F1).
 */
export function uriProblem(
  uri: string,
  name: string | undefined,
  { schemes, credentials }: Pick<IngestOptions, 'schemes' | 'credentials'>,
): string | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase()
  if (scheme === undefined || !schemes.includes(scheme)) {
    return `its scheme must be one of ${schemes.join(', ')}, got ${scheme ?? 'none'}`
  }
  if (/[\x00-\x20\x7f]/.test(uri)) return 'its URI must not have blanks or control characters'
  // Parsers of URLs take the first name that they meet for a host.
  if (/^https?$/.test(scheme) && !(/^https?:\/\/[^/]/i.test(uri) && URL.canParse(uri)))
    return 'its URI must name a host'
  if (redactUrl(uri) !== uri) return 'its URI must not carry secrets; name credentials of the settings instead'
  const hosts = hostsOf(name === undefined ? undefined : credentials[name])
  const host = URL.parse(uri)?.hostname ?? ''
  return hosts === undefined || isAmong(hosts, host) ? undefined : `the credentials ${name} are not for ${host}`
}

/** Undefined: they are bound to a server in another way. */
function hostsOf(credentials: IngestSettings['credentials'][string] | undefined): readonly string[] | undefined {
  return credentials && 'hosts' in credentials ? credentials.hosts : undefined
}

/** Twins would be found out one by one, when the first bytes have moved; those by case alone, on a disk that ignores it. */
function assertDistinct(items: readonly NewItem[]): void {
  const seen = new Set<string>()
  const fold = (name: string) => name.toLowerCase().normalize('NFC')
  for (const { name, position } of items) {
    if (seen.has(fold(name)))
      throw refuse(`entry ${position}: no name may be there twice, in whatever case, ${name} is`)
    seen.add(fold(name))
  }
  for (const { name, position } of items) {
    const above = ancestorsOf(fold(name)).find(ancestor => seen.has(ancestor))
    if (above !== undefined)
      throw refuse(`entry ${position}: ${name} cannot lie in ${above}, which is a file of the same list`)
  }
}

function ancestorsOf(name: string): string[] {
  const parts = name.split('/')
  return parts.slice(1).map((_, at) => parts.slice(0, at + 1).join('/'))
}

function refuse(what: string): LibrarianError {
  return new LibrarianError('BadRequest', `Cannot make the job: ${what}`)
}
