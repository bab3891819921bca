// Command lines of swtpm_setup, good and bad, which the C programs and ours are asked, each in a folder
// of its own. Pure data; what is in the folder is setup_folder.ts' affair.

/** One command line; `{dir}` stands for its folder. */
export interface SetupLine {
  /** Words with blanks between them; `~` in one of them stands for a blank. */
  readonly words: string;
  /** Variables beside HOME and XDG_CONFIG_HOME. */
  readonly env?: Readonly<Record<string, string>>;
}

function lines(...words: string[]): SetupLine[] {
  return words.map((words) => ({ words }));
}

const NEW = "--tpm2 --tpm-state state";
const OLD = "--tpm2 --tpm-state made";

/** What is asked for without making anything. */
export const QUESTIONS: readonly SetupLine[] = lines(
  ...["", "--help", "-h", "-?", "--help=1", "--version", "--ver", "--version --foo", "--foo"],
  ...["-foo", "-x", "--foo --version", "--tpm2=1", "--tpm-state", "--tpmstate", "--tpm", "--vmid"],
  ...["--pcr-banks", "--config", "--keyfile", "--cre", "--key", "--pwdfile-", "--over=1"],
  ...["--print-capabilities", "--print-cap --tpm2", "--print-capabilities --tpm-state nowhere"],
  ...["--print-capabilities --foo", "--print-capabilities surplus"],
  ...["--swtpm_ioctl x --version", "--tcsd-system-ps-file x --version", "surplus"],
  ...["--tpm /nowhere/swtpm", "--tpm nowhere~socket --print-capabilities", "--tpm /bin/false"],
  ...[`--tpm /bin/true ${NEW}`, "--tpm /bin/true --tpm-state state"],
);

/** What is refused before a TPM is made. */
export const REFUSALS: readonly SetupLine[] = lines(
  ...["--tpm2", "--tpm2 --createek", "--tpm2 --tpm-state nowhere", "--tpm2 --tpm-state key.hex"],
  ...["--tpm2 --tpm-state dir://nowhere", "--tpm2 --tpm-state dir://{dir}/nowhere"],
  ...["--tpm-state nowhere", "--tpm2 --tpm-state file://{dir}/nowhere/file", "--tpm-state  --tpm2"],
  ...[`${NEW} --take-ownership`, "--tpm-state state --ecc", "--tpm-state state --create-spk"],
  ...["--tpm-state state --reconfigure", "--tpm-state state --allow-signing"],
  ...["--tpm-state state --decryption", "--tpm-state state --pcr-banks sha1"],
  ...[`${NEW} --cipher foo`, `${NEW} --cipher aes-256-ctr --keyfile key.hex`, `${NEW} --cipher `],
  ...[`${NEW} --keyfile nowhere`, `${NEW} --pwdfile nowhere`, `${NEW} --pwdfile-fd x`],
  ...[`${NEW} --profile-file-fd x`, `${NEW} --pwdfile-fd 99999999999`],
  ...[`${NEW} --rsa-keysize 1024`, `${NEW} --rsa-keysize abc`, `${NEW} --rsa-keysize 0`],
  ...[`${NEW} --config nowhere`, `${NEW} --write-ek-cert-files nowhere`],
  ...[`${NEW} --logfile nowhere/log`, `${NEW} --logfile link`, `${NEW} --runas nobody-at-all`],
  ...[`${NEW} --runas 4294967296`],
);

/** What is there already. */
export const STATES: readonly SetupLine[] = lines(
  ...[OLD, `${OLD} --createek`, `${OLD} --not-overwrite`, `${OLD} --not-overwrite --overwrite`],
  ...[
    `${OLD} --overwrite`,
    `${OLD} --overwrite --logfile log`,
    `${OLD} --not-overwrite --logfile log`,
  ],
  ...["--tpm-state made12", "--tpm-state made12 --overwrite", "--tpm-state made12 --not-overwrite"],
  ...["--tpm-state made", "--tpm2 --tpm-state made12", `${OLD} --overwrite --config nowhere`],
  ...[`${OLD} --overwrite --keyfile nowhere`, `${OLD} --overwrite --cipher foo`],
  ...[`${OLD} --overwrite --rsa-keysize 1024`, `${OLD} --reconfigure --createek`],
  ...[`${OLD} --reconfigure --create-ek-cert`, `${OLD} --reconfigure --pcr-banks sha1,sha384`],
  ...[`${OLD} --reconfigure`, `${OLD} --reconfigure --pcr-banks foo`],
  ...["--tpm2 --tpm-state sealed --reconfigure --keyfile key.hex"],
);

/** TPMs that are made. */
export const MADE: readonly SetupLine[] = lines(
  ...[
    NEW,
    "--tpmstate state --tpm2 surplus",
    "--tpm2 --tpm-state dir://{dir}/state",
    `${NEW} --display`,
  ],
  ...[
    "--tpm2 --tpm-state file://{dir}/linear",
    "--tpm-state file://{dir}/linear",
    "--tpm-state state",
  ],
  ...[`${NEW} --pcr-banks -`, `${NEW} --pcr-banks sha1`, `${NEW} --pcr-banks sha256,sha1`],
  ...[
    `${NEW} --pcr-banks sha1 --pcr-banks sha384`,
    `${NEW} --pcr-banks foo`,
    `${NEW} --pcr-banks `,
  ],
  ...[`${NEW} --pcr-banks foo,sha512`, `${NEW} --pcr-banks SHA1`, `${NEW} --pcr-banks sha1,sha1`],
  ...[`${NEW} --pcr-banks ~sha1~`, `${NEW} --pcr-banks sha1,~sha256`],
  ...[`${NEW} --keyfile key.hex`, `${NEW} --keyfile key.hex --cipher aes-cbc`],
  ...[`${NEW} --keyfile key256.hex --cipher aes-256-cbc`, `${NEW} --pwdfile password`],
  ...[`${NEW} --keyfile key.hex --pwdfile nowhere`, `${NEW} --keyfile junk`],
  ...[`${NEW} --keyfile key.hex --cipher aes-256-cbc`, "--tpm-state state --keyfile key.hex"],
  ...[`${NEW} --createek`, `${NEW} --createek --rsa-keysize 3072`, `${NEW} --create-spk`],
  ...[`${NEW} --create-spk --ecc`, `${NEW} --createek --allow-signing`, `${NEW} --ecc`],
  ...[`${NEW} --createek --allow-signing --decryption`, `${NEW} --createek --decryption`],
  ...[`${NEW} --rsa-keysize max`, `${NEW} --createek --lock-nvram`, `${NEW} --lock-nvram`],
  ...["--tpm-state state --createek", "--tpm-state state --take-ownership"],
  ...["--tpm-state state --take-ownership --ownerpass a --srkpass b"],
  ...["--tpm-state state --take-ownership --owner-well-known --srk-well-known"],
  ...[
    "--tpm-state state --createek --lock-nvram",
    "--tpm-state state --createek --rsa-keysize 3072",
  ],
  ...[`${NEW} --create-ek-cert`, `${NEW} --create-ek-cert --vmid a~vm --lock-nvram`],
  ...[`${NEW} --create-platform-cert`, `${NEW} --create-ek-cert --create-platform-cert`],
  ...[
    `${NEW} --create-ek-cert --write-ek-cert-files {dir}`,
    `${NEW} --create-ek-cert --logfile log`,
  ],
  ...[`${NEW} --create-ek-cert --allow-signing`, "--tpm-state state --create-ek-cert"],
  ...["--tpm-state state --create-ek-cert --create-platform-cert --lock-nvram"],
  ...["--tpm-state state --create-ek-cert --write-ek-cert-files {dir}"],
  ...["--tpm-state state --create-platform-cert"],
  ...[
    `${NEW} --config banks.conf`,
    `${NEW} --config junk`,
    `${NEW} --config large.conf --createek`,
  ],
  ...[`${NEW} --config small.conf`, `${NEW} --create-ek-cert --config no-tool.conf`],
  ...[`${NEW} --create-ek-cert --config failing-tool.conf`, `${NEW} --config /dev/null --createek`],
  ...[`${NEW} --logfile log`, `${NEW} --runas nobody`, `${NEW} --runas 0`],
);

/** Files with a configuration. */
const CREATE = "--create-config-files";
const fresh = (words: string): SetupLine => ({
  words,
  env: { XDG_CONFIG_HOME: "{dir}/fresh" },
});
export const CONFIG_FILES: readonly SetupLine[] = [
  ...lines(CREATE, `${CREATE} root`, `${CREATE} root,overwrite`, `${CREATE}=root,skip-if-exist`),
  ...[CREATE, `${CREATE} root`, `${CREATE}=root`, `${CREATE} root,overwrite`].map(fresh),
  ...[`${CREATE} overwrite,skip-if-exist`, `${CREATE} skip-if-exist,root`].map(fresh),
  ...[`${CREATE} root~overwrite`, `${CREATE}=overwrite`, `${CREATE}=root --tpm2 --foo`].map(fresh),
  ...[`--create-c root`, `--tpm2 --foo ${CREATE} root`].map(fresh),
  { words: `${CREATE} root`, env: { XDG_CONFIG_HOME: "{dir}/key.hex" } },
];

/** What there is from 0.10 on. */
export const PROFILES: readonly SetupLine[] = lines(
  ...["--print-profiles", "--print-profiles --tpm2", "--print-profiles --tpm2 --config local.conf"],
  ...["--print-profiles --config nowhere", "--profile-"],
  ...[`${NEW} --profile {"Name":"null"}`, `${NEW} --profile {"Name":"custom:a"}`],
  ...[`${NEW} --profile {"Name":"nothing"}`, `${NEW} --profile {"Name":5}`, `${NEW} --profile {}`],
  ...[`${NEW} --profile junk`, `${NEW} --profile {"Name":"${"n".repeat(33)}"}`],
  ...[`${NEW} --profile {"Name":"null"} --profile-name null`, `${NEW} --profile-name null`],
  ...[`${NEW} --profile-name builtin:null`, `${NEW} --profile-name local:one --config local.conf`],
  ...[`${NEW} --profile-name one --config local.conf`, `${NEW} --profile-name ../one`],
  ...[`${NEW} --profile-name local:none --config local.conf`, `${NEW} --profile-name local:one`],
  ...[`${NEW} --profile-name distro:none`, `${NEW} --profile-name nothing`],
  ...[
    `${NEW} --profile-file one.json`,
    `${NEW} --profile-file nowhere`,
  ],
  ...[`${NEW} --profile-remove-disabled foo`, `${NEW} --profile-remove-disable check`],
  ...[`${NEW} --profile-name null --profile-remove-disabled fips-host`],
  ...['--tpm-state state --profile {"Name":"null"}', `${OLD} --reconfigure --profile-name null`],
  ...[`${NEW} --config profile.conf`, `${NEW} --config no-profile.conf`],
  ...[`${OLD} --overwrite --profile-name ../one`],
);
