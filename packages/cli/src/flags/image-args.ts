import { string } from "@oclif/core/args";

const description = "name, digest, or the beginning of a digest";

/** One image. Never read from stdin: what is piped into silk is not a name. */
export const oneImage = { image: string({ description, required: true, ignoreStdin: true }) };

/** One image or more. */
export const someImages = {
  image: string({ description, required: true, multiple: true, ignoreStdin: true }),
};

/** What a VM is made of. */
export const maybeImage = {
  image: string({
    description:
      "name of an image (debian:12, ghcr.io/acme/web:1.4), or the URL of a cloud image; fetched where it is not here",
    ignoreStdin: true,
  }),
};
