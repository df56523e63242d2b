/** `node sdk-get.ts BUCKET KEY FILE`: the AWS SDK's own way to a file, for comparison. */
import { createWriteStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3'

const [Bucket, Key, file] = process.argv.slice(2) as [string, string, string]
const client = new S3Client({ forcePathStyle: true })
const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
await pipeline(Body as Readable, createWriteStream(file))
