import type { z } from 'zod'
import { readSecretFile } from '../../config/files.ts'
import type { s3StoreData } from '../settings.ts'
import type { S3Place } from './s3-objects.ts'

type S3StoreData = z.infer<typeof s3StoreData>

/** A client for the bucket that a store's settings name; asks nobody yet. @throws LibrarianError Configuration */
export async function openPlace(data: S3StoreData): Promise<S3Place> {
  const { access_key_id: accessKeyId } = data
  const secretAccessKey = secretOf(data)
  // Half a megabyte of modules that local stores do not need.
  const library = await import('@aws-sdk/client-s3')
  const client = new library.S3Client({
    region: data.region,
    ...(data.endpoint === undefined ? {} : { endpoint: data.endpoint, forcePathStyle: true }),
    ...(accessKeyId && secretAccessKey ? { credentials: { accessKeyId, secretAccessKey } } : {}),
    // The default corrupts streams on some servers that are not Amazon's.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Its warnings go to the console, ours through the log.
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
  })
  return { library, client, bucket: data.bucket }
}

/** Read at each start; the catalogue keeps the path only. */
function secretOf({ secret_access_key: text, secret_access_key_file: file }: S3StoreData): string | undefined {
  return file === undefined ? text : readSecretFile(file, 'secret_access_key_file').reveal()
}
