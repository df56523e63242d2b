/**
 * From a URI to the source that reads it. Factories are loaded when their scheme is used first, so that a download over
 * https does not pay for ftp. Adding a source is one line in a table of loaders.
 */
import { TransferError } from '../errors.ts'
import { redactUrl } from '../redact.ts'
import type { Source } from '../source.ts'

import type { SourceContext, SourceFactory } from './context.ts'

export type { SourceContext, SourceFactory, SourceOptions } from './context.ts'

/** Loads a factory. */
export type SourceLoader = () => Promise<SourceFactory>

export interface SourceRegistry {
  /** Lower case, without colon, sorted. */
  readonly schemes: readonly string[]
  /** Rejects with TransferError('Unsupported') for a scheme that nobody registered. */
  open(uri: string, context: SourceContext): Promise<Source>
  /** The URI without secrets, for people and logs. */
  display(uri: string): string
}

const http: SourceLoader = async () => {
  const { createHttpSource } = await import('./http.ts')
  return async (uri, { options, origins }) => createHttpSource(uri, { ...options, origins: await origins() })
}

const drs: SourceLoader = async () => (await import('./drs.ts')).openDrsSource

const ftp: SourceLoader = async () => (await import('./ftp.ts')).createFtpSource

/** The sources of this package, by scheme. */
export const sourceLoaders: Readonly<Record<string, SourceLoader>> = {
  http,
  https: http,
  drs,
  dos: drs,
  gdc: async () => (await import('./gdc.ts')).openGdcSource,
  ftp,
  ftps: ftp,
  file: async () => (await import('./file.ts')).createFileSource,
  gs: async () => (await import('./gs.ts')).createGsSource,
  sftp: async () => (await import('./sftp.ts')).createSftpSource,
  s3: async () => (await import('./s3.ts')).createS3Source,
}

export function createSourceRegistry(loaders: Readonly<Record<string, SourceLoader>>): SourceRegistry {
  const schemes = Object.keys(loaders).sort()
  // Loading again is cheap, but not for ten thousand small files.
  const loaded = new Map<string, SourceFactory>()
  return {
    schemes,
    async open(uri, context) {
      const scheme = schemeOf(uri)
      const known = loaded.get(scheme)
      if (known) return known(uri, context)
      const loader = Object.hasOwn(loaders, scheme) ? loaders[scheme] : undefined
      if (!loader) {
        throw new TransferError(
          'Unsupported',
          `Cannot fetch ${redactUrl(uri)}: the scheme must be one of ${schemes.join(', ')}, got ${scheme}`,
          { url: redactUrl(uri) },
        )
      }
      const factory = await loader()
      loaded.set(scheme, factory)
      return factory(uri, context)
    },
    display: redactUrl,
  }
}

const ours = createSourceRegistry(sourceLoaders)

/** Opens a source of this package. */
export function openSource(uri: string, context: SourceContext): Promise<Source> {
  return ours.open(uri, context)
}

/** The scheme in lower case; plain paths are files. One letter before a colon is a drive, not a scheme. */
export function schemeOf(uri: string): string {
  return /^([a-z][a-z0-9+.-]+):/i.exec(uri)?.[1]?.toLowerCase() ?? 'file'
}

/** Object stores and plain paths take every character of a name as it is; other URIs are percent-encoded (RFC 3986). */
export function isPercentEncoded(uri: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/i.test(uri) && !['s3', 'gs', 'memory'].includes(schemeOf(uri))
}
