import { TransferError } from '../errors.ts'
import type { Entry } from '../manifest/entry.ts'
import { splitExtension } from './bytes.ts'

/** `original`: the file's name · `guid` · `combined`: `<guid>_<name>` · `tree`: `<guid>/<name>`. */
export type NamedLayout = 'original' | 'guid' | 'combined' | 'tree'

/** How paths are made of entries. */
export interface Layout {
  /** Whether it has to know the file's name. */
  readonly needsName: boolean
  /** Whether it has to know the object's id. */
  readonly needsId: boolean
  /** The path as it is meant, before it is made safe. `name` may hold directories, and be empty where it is not needed. */
  fill(entry: Entry, id: string, name: string): string
}

const templates: Readonly<Record<NamedLayout, string>> = {
  original: '{name}',
  guid: '{guid}',
  combined: '{guid}_{name}',
  tree: '{guid}/{name}',
}

const FIELDS = ['guid', 'name', 'stem', 'ext', 'host', 'subject_id', 'index'] as const
type Field = (typeof FIELDS)[number]

/**
 * Reads a layout: one of the named ones, or a template of `{guid} {name} {stem} {ext} {host} {subject_id} {index}`. What stands in
 * for a field never makes directories, but for `{name}`: `/` becomes `_`. `{ext}` has its dot; `{index}` counts from 1.
 *
 * @throws TransferError Usage
 */
export function parseLayout(text: string): Layout {
  const template = Object.hasOwn(templates, text) ? templates[text as NamedLayout] : text
  const parts = template.split(/\{([^{}]*)\}/)
  const fields = parts.filter((_, at) => at % 2 === 1)
  const unknown = fields.find(field => !FIELDS.includes(field as Field))
  if (unknown !== undefined || fields.length === 0 || parts.some((part, at) => at % 2 === 0 && /[{}]/.test(part))) {
    const met = JSON.stringify(unknown === undefined ? text : `{${unknown}}`)
    const rule = `it must be ${Object.keys(templates).join(', ')}, or hold {${FIELDS.join('} {')}}`
    throw new TransferError('Usage', `Cannot use the layout of names: ${rule}, got ${met}`)
  }
  return {
    needsName: fields.some(field => field === 'name' || field === 'stem' || field === 'ext'),
    needsId: fields.includes('guid'),
    fill: (entry, id, name) =>
      parts.map((part, at) => (at % 2 === 0 ? part : valueOfField(part as Field, entry, id, name))).join(''),
  }
}

function valueOfField(field: Field, entry: Entry, id: string, name: string): string {
  switch (field) {
    case 'name':
      return name
    case 'stem':
      return segmentOf(splitExtension(lastSegment(name))[0])
    case 'ext':
      return splitExtension(lastSegment(name))[1]
    case 'guid':
      return segmentOf(id)
    case 'host':
      return segmentOf(hostOf(entry.uris[0]))
    case 'subject_id':
      return segmentOf(textOf(entry.extra?.subject_id))
    default:
      return String(entry.index + 1)
  }
}

/** As one segment, which is neither a way up nor a drive. */
function segmentOf(text: string): string {
  return /^\.{1,2}$/.test(text) ? '_' : text.replace(/[/\\:]/g, '_')
}

function lastSegment(name: string): string {
  return name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1)
}

function hostOf(uri: string | undefined): string {
  return /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#]*)/i.exec(uri ?? '')?.[1] ?? ''
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
