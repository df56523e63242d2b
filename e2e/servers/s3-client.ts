import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'

export interface S3Access {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Puts things into a real store, by the vendor's own client: what reads them must not be what wrote them. */
export class S3Writer {
  readonly #client: S3Client

  constructor({ endpoint, accessKeyId, secretAccessKey }: S3Access) {
    this.#client = new S3Client({
      endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
      requestChecksumCalculation: 'WHEN_REQUIRED',
    })
  }

  async makeBucket(bucket: string, { isVersioned = false } = {}): Promise<void> {
    await this.#client.send(new CreateBucketCommand({ Bucket: bucket }))
    if (!isVersioned) return
    const VersioningConfiguration = { Status: 'Enabled' } as const
    await this.#client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }))
  }

  async put(bucket: string, key: string, bytes: Uint8Array): Promise<void> {
    await this.#client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes }))
  }

  /** In one request: its entity tag is the MD5 of the whole. */
  async putFile(bucket: string, key: string, path: string): Promise<void> {
    const { size } = await stat(path)
    const Body = createReadStream(path)
    await this.#client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body, ContentLength: size }))
  }

  /** Many at once. */
  async putAll(bucket: string, files: Iterable<readonly [key: string, bytes: Uint8Array]>): Promise<void> {
    const left = files[Symbol.iterator]()
    const work = async () => {
      for (let next = left.next(); !next.done; next = left.next()) await this.put(bucket, ...next.value)
    }
    await Promise.all(Array.from({ length: 16 }, work))
  }

  putInParts(bucket: string, key: string, bytes: Uint8Array, partSize: number): Promise<void> {
    const starts = Array.from({ length: Math.ceil(bytes.length / partSize) }, (_, index) => index * partSize)
    return this.putPieces(
      bucket,
      key,
      starts.map(start => bytes.subarray(start, start + partSize)),
    )
  }

  /** Each piece becomes a part; all but the last must have the same size. */
  async putPieces(
    bucket: string,
    key: string,
    pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const place = { Bucket: bucket, Key: key }
    const { UploadId } = await this.#client.send(new CreateMultipartUploadCommand(place))
    const Parts: { PartNumber: number; ETag: string | undefined }[] = []
    for await (const Body of pieces) {
      const PartNumber = Parts.length + 1
      const { ETag } = await this.#client.send(new UploadPartCommand({ ...place, UploadId, PartNumber, Body }))
      Parts.push({ PartNumber, ETag })
    }
    await this.#client.send(new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts } }))
  }

  async remove(bucket: string, key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))
  }

  close(): void {
    this.#client.destroy()
  }
}
