import type { Fields } from './entry.ts'
import { refuse } from './problem.ts'

/** What the fields of a row mean: an object of a commons (gen3 4.1) or a URL (retrieval 16), which have keys in common. */
export interface RowShape {
  /** Fields that may name the object, the first that is present does. Undefined for rows of URLs. */
  readonly idKeys?: readonly string[] | undefined
  /** `gdc`: ids are those of the Genomic Data Commons. Default `drs`. */
  readonly scheme?: 'drs' | 'gdc' | undefined
  /** The id may also be a plain URL: a column that is merely called something with `uri`. */
  readonly mayBeUrl?: boolean | undefined
}

export const URL_ROW: RowShape = {}
const OBJECT_ROW: RowShape = { idKeys: ['object_id', 'guid', 'did', 'drs_uri', 'ga4gh_drs_uri'] }
/** `id` beside another of the keys, or beside a URL, is somebody's own numbering. */
const ID_ROW: RowShape = { idKeys: ['id'] }

/**
 * The meaning of a row that says it itself, as in JSON: an object if one of the keys names it that nobody uses for anything
 * else; a URL if `url` or `urls` is there; else an object if `id` is.
 */
export function shapeOfFields(fields: Fields): RowShape {
  // By name, not in a loop: a million rows pass here.
  const { object_id, guid, did, drs_uri, ga4gh_drs_uri } = fields
  if (object_id || guid || did || drs_uri || ga4gh_drs_uri) return OBJECT_ROW
  if (fields.url !== undefined || fields.urls !== undefined) return URL_ROW
  return fields.id === undefined ? URL_ROW : ID_ROW
}

/** In this order: what tools write first. */
const DRS_COLUMNS = ['pfb:ga4gh_drs_uri', 'ga4gh_drs_uri', 'pfb:drs_uri', 'drs_uri']
const ID_COLUMNS = ['object_id', 'guid', 'GUID', 'did', ...DRS_COLUMNS]
const PLACES = ['aws_uri', 'gcp_uri']

/**
 * The meaning of a table's rows, by its header: Gen3's columns and those of DRS URIs before `url` and `urls`, before those of
 * the Genomic Data Commons (`id` and `filename`, `md5` or `size`), before any column with `uri` or `drs` in its name.
 *
 * @param idColumn the column that names the object, when the caller knows
 * @throws RowProblem when no column names anything
 */
export function shapeOfColumns(columns: readonly string[], idColumn?: string): RowShape {
  if (idColumn !== undefined) {
    if (!columns.includes(idColumn)) refuse(`a column must be called ${idColumn}`, columns.join(','))
    return { idKeys: [idColumn], mayBeUrl: true }
  }
  const known = ID_COLUMNS.find(name => columns.includes(name))
  if (known !== undefined) return { idKeys: [known] }
  if (columns.includes('url') || columns.includes('urls')) return URL_ROW
  if (columns.includes('id')) return isGdc(columns) ? { idKeys: ['id'], scheme: 'gdc' } : ID_ROW
  const named = likeDrsUri(columns)
  if (named !== undefined) return { idKeys: [named], mayBeUrl: true }
  const rule = 'a column must name objects (object_id, guid, did, id, drs_uri or another with uri), or'
  return refuse(`${rule} a column must be called url or urls`, columns.join(columns.length > 1 ? ',' : ''))
}

function isGdc(columns: readonly string[]): boolean {
  const isGen3 = ['file_name', 'file_size', 'md5sum', 'commons_url'].some(name => columns.includes(name))
  return !isGen3 && ['filename', 'md5', 'size'].some(name => columns.includes(name))
}

function likeDrsUri(columns: readonly string[]): string | undefined {
  const others = columns.filter(name => !PLACES.includes(name))
  const has = (name: string, word: string) => name.toLowerCase().includes(word)
  return (
    others.find(name => has(name, 'drs') && has(name, 'uri')) ??
    others.find(name => has(name, 'uri')) ??
    others.find(name => has(name, 'drs'))
  )
}
