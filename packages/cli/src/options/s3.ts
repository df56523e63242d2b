/** Flags that speak of `s3://` addresses. */
import { type Command, Option } from 'commander'
import type { S3Options } from '../engine.ts'
import { ProgramError } from '../errors.ts'

export interface S3Flags {
  readonly endpoint?: string
  readonly region?: string
  readonly awsProfile?: string
  readonly requesterPays?: boolean
  readonly anonymous?: boolean
  readonly pathStyle?: boolean
}

/** `--anonymous` is everybody's. */
export function addS3Options(command: Command): Command {
  return command
    .addOption(new Option('--endpoint <URL>', 'S3: another server than Amazon’s (default: AWS_ENDPOINT_URL)'))
    .addOption(
      new Option('--region <NAME>', 'S3: where to ask first (default: AWS_REGION, the profile’s; else found out)'),
    )
    .addOption(new Option('--aws-profile <NAME>', 'S3: credentials and region of this profile (default: AWS_PROFILE)'))
    .addOption(new Option('--requester-pays', 'S3: agree to pay for the request'))
    .addOption(new Option('--path-style', 'S3: the bucket behind the host, not before it (default with --endpoint)'))
}

/** @throws ProgramError Usage for flags that contradict each other */
export function s3Options(flags: S3Flags, environment: Readonly<Record<string, string | undefined>>): S3Options {
  if (flags.anonymous && flags.awsProfile !== undefined) {
    throw new ProgramError('Usage', '--anonymous and --aws-profile contradict each other.')
  }
  return {
    endpoint: flags.endpoint,
    region: flags.region,
    profile: flags.awsProfile,
    requesterPays: flags.requesterPays,
    anonymous: flags.anonymous,
    forcePathStyle: flags.pathStyle,
    environment,
  }
}
