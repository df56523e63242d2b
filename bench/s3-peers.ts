/** How each program is asked to read from an S3 server, at its best and quiet. */
import { fileURLToPath } from 'node:url'
import type { S3Access } from '../e2e/servers/s3-client.ts'
import { arriero, type Contender, outputOf } from './peers.ts'

export interface S3Place {
  readonly bucket: string
  /** Of the object, or what all of them begin with. */
  readonly key: string
  readonly access: S3Access
}

const uriOf = ({ bucket, key }: S3Place) => `s3://${bucket}/${key}`
const sdkGet = fileURLToPath(new URL('sdk-get.ts', import.meta.url))

function awsEnvironment({ endpoint, accessKeyId, secretAccessKey }: S3Access): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  }
}

function rcloneEnvironment({ endpoint, accessKeyId, secretAccessKey }: S3Access): Record<string, string> {
  return {
    RCLONE_CONFIG_STORE_TYPE: 's3',
    RCLONE_CONFIG_STORE_PROVIDER: 'Ceph',
    RCLONE_CONFIG_STORE_ENDPOINT: endpoint,
    RCLONE_CONFIG_STORE_ACCESS_KEY_ID: accessKeyId,
    RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY: secretAccessKey,
    // rclone 1.60 gives up where this is set, although it would not need it here.
    AWS_CA_BUNDLE: '',
  }
}

export function arrieroS3(place: S3Place): Contender {
  return {
    label: 'arriero',
    program: 'arriero',
    command: directory => ({
      ...arriero(['get', uriOf(place), '-o', outputOf(directory), '--json']),
      env: awsEnvironment(place.access),
    }),
  }
}

export function arrieroS3List(place: S3Place, list: string): Contender {
  return {
    label: 'arriero',
    program: 'arriero',
    command: directory => ({
      ...arriero(['get', '--manifest', list, '-d', directory, '--quiet']),
      env: awsEnvironment(place.access),
    }),
  }
}

export function rcloneS3(place: S3Place, streams: number): Contender {
  const { bucket, key, access } = place
  return {
    label: streams === 4 ? 'rclone' : `rclone ${streams} streams`,
    program: 'rclone',
    command: directory => ({
      argv: [
        ...['rclone', '--config=', '-q', 'copyto', `--multi-thread-streams=${streams}`],
        ...[`store:${bucket}/${key}`, outputOf(directory)],
      ],
      env: rcloneEnvironment(access),
    }),
  }
}

/** With `--fast-list` and without checks of what is there: the directory is empty. */
export function rcloneS3Many({ bucket, key, access }: S3Place): Contender {
  return {
    label: 'rclone --transfers 16',
    program: 'rclone',
    command: directory => ({
      argv: [
        ...['rclone', '--config=', '-q', 'copy', '--transfers=16', '--checkers=16', '--fast-list', '--no-check-dest'],
        ...[`store:${bucket}/${key}`, directory],
      ],
      env: rcloneEnvironment(access),
    }),
  }
}

export function awsCli(place: S3Place): Contender {
  return {
    label: 'aws s3 cp',
    program: 'aws',
    command: directory => ({
      argv: ['aws', 's3', 'cp', '--only-show-errors', uriOf(place), outputOf(directory)],
      env: awsEnvironment(place.access),
    }),
  }
}

export function awsCliMany(place: S3Place): Contender {
  return {
    label: 'aws s3 cp --recursive',
    program: 'aws',
    command: directory => ({
      argv: ['aws', 's3', 'cp', '--only-show-errors', '--recursive', uriOf(place), directory],
      env: awsEnvironment(place.access),
    }),
  }
}

/** `GetObject`, its stream piped into a file: what its documentation shows. */
export function awsSdk(place: S3Place): Contender {
  return {
    label: 'AWS SDK',
    program: 'node',
    command: directory => ({
      argv: [process.execPath, sdkGet, place.bucket, place.key, outputOf(directory)],
      env: awsEnvironment(place.access),
    }),
  }
}
