import type { S3Place } from './s3-objects.ts'

/** Under which keys of a bucket a store has what: files under their names after the prefix, and `.arriero/` for what is private. */
export class S3Keys {
  /** Before all keys; empty, or ends with `/`. */
  readonly prefix: string
  readonly marker: string

  constructor(prefix: string) {
    this.prefix = prefix
    this.marker = this.ofPrivate('marker.json')
  }

  of(name: string): string {
    return `${this.prefix}${name}`
  }

  ofPrivate(name: string): string {
    return `${this.prefix}.arriero/${name}`
  }
}

/** The place of one store, which all its parts share. */
export interface S3Ground {
  readonly place: S3Place
  readonly keys: S3Keys
}
