/** The Genomic Data Commons: files by their ids (gen3 6.5). */
import { TransferError } from '../errors.ts'
import { answerText } from './answer-text.ts'
import { type Api, jsonOf } from './api.ts'
import { Batcher } from './batcher.ts'
import { type CommonsObject, objectFromIndexd } from './object.ts'

export interface GdcOptions {
  readonly api: Api
  /** Default `https://api.gdc.cancer.gov`. */
  readonly base?: string | undefined
  readonly token?: string | undefined
}

/** A file, and others that belong to it. */
export interface GdcFile {
  readonly object: CommonsObject
  /** Ids of its index and metadata files. */
  readonly related: readonly string[]
  readonly hasAnnotations: boolean
}

const MOST_FILES = 200
const FIELDS =
  'file_id,file_name,file_size,md5sum,annotations.annotation_id,metadata_files.file_id,index_files.file_id,access'

export class Gdc {
  readonly base: string
  readonly #api: Api
  readonly #token: string | undefined
  readonly #files: Batcher<string, GdcFile>

  constructor({ api, base = 'https://api.gdc.cancer.gov', token }: GdcOptions) {
    this.#api = api
    this.base = base.replace(/\/$/, '')
    this.#token = token?.trim()
    this.#files = new Batcher({ ask: ids => this.#ask(ids), most: MOST_FILES })
  }

  /** To be sent to the GDC itself and nowhere else. */
  get headers(): Readonly<Record<string, string>> {
    return this.#token === undefined ? {} : { 'x-auth-token': this.#token }
  }

  get hasToken(): boolean {
    return this.#token !== undefined
  }

  dataUrl(id: string): string {
    return `${this.base}/data/${encodeURIComponent(id)}`
  }

  /** @throws TransferError NotFound */
  async file(id: string): Promise<GdcFile> {
    const found = await this.#files.get(id)
    if (found) return found
    throw new TransferError('NotFound', `Cannot find gdc:${id}: the GDC has no such file`, { reason: 'not_found' })
  }

  async #ask(ids: readonly string[]): Promise<ReadonlyMap<string, GdcFile>> {
    const filters = { op: 'in', content: { field: 'files.file_id', value: ids } }
    const answer = await this.#api.ask({
      url: `${this.base}/v0/files`,
      headers: { 'content-type': 'application/json', ...this.headers },
      body: JSON.stringify({ fields: FIELDS, filters: JSON.stringify(filters), from: '0', size: String(ids.length) }),
      signal: new AbortController().signal,
    })
    if (answer.status !== 200) {
      const said = answerText(answer)
      const message = `Cannot ask the GDC for files: it answered ${answer.status}${said && `: ${said}`}`
      throw new TransferError(answer.status === 403 ? 'Denied' : 'Protocol', message, { status: answer.status })
    }
    const { data } = jsonOf(answer, this.base) as { data?: { hits?: Record<string, unknown>[] } }
    return new Map((data?.hits ?? []).map(hit => [String(hit.id ?? hit.file_id), fileFrom(hit)]))
  }
}

function fileFrom(hit: Record<string, unknown>): GdcFile {
  const { id, file_id, file_name, file_size, md5sum } = hit
  const record = { did: id ?? file_id, file_name, size: file_size, hashes: { md5: md5sum }, urls: ['https:'] }
  const idsOf = (list: unknown) =>
    (Array.isArray(list) ? list : []).flatMap(({ file_id: other }) => (typeof other === 'string' ? [other] : []))
  return {
    object: objectFromIndexd(record) as CommonsObject,
    related: [...idsOf(hit.index_files), ...idsOf(hit.metadata_files)],
    hasAnnotations: Array.isArray(hit.annotations) && hit.annotations.length > 0,
  }
}
