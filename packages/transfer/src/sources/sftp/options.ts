/** How a connection over SSH is made, where the URL and ~/.ssh/config leave it open. */
export interface SftpOptions {
  /** Default: the URL's, then ~/.ssh/config's, then the name of the user who runs this. */
  readonly username?: string | undefined
  /** Default: the URL's, then the environment's ARRIERO_SFTP_PASSWORD. */
  readonly password?: string | undefined
  /** Files with private keys. Default: ~/.ssh/config's, then ~/.ssh/id_ed25519, id_ecdsa and id_rsa. */
  readonly identity?: string | readonly string[] | undefined
  /** Opens encrypted private keys. Default: the environment's ARRIERO_SFTP_PASSPHRASE; without one they are skipped. */
  readonly passphrase?: string | undefined
  /** Socket of the agent that holds keys; false: none is asked. Default: ~/.ssh/config's, then SSH_AUTH_SOCK. */
  readonly agent?: string | false | undefined
  /**
   * Files that say which host has which key. Default: ~/.ssh/config's, then ~/.ssh/known_hosts, ~/.ssh/known_hosts2 and
   * those of /etc/ssh.
   */
  readonly knownHosts?: string | readonly string[] | undefined
  /** The host's key must have this fingerprint, e.g. `SHA256:…` as `ssh-keygen -l` tells it; known hosts are not asked. */
  readonly hostKey?: string | undefined
  /** Which configuration is read; false: none. Default: ~/.ssh/config, then /etc/ssh/ssh_config. */
  readonly config?: string | false | undefined
}
