import type { BlobReference, Host, Logger } from "@silkvm/core";
import type { Http } from "./http/http.ts";
import type { LayerLimits } from "./layers/layer-limits.ts";
import type { Blobs } from "./store/blobs.ts";
import type { StoreAccess } from "./store/store-access.ts";

/** What everything that is done with the images of a root directory works on. */
export interface ImagesContext {
  readonly host: Host;
  readonly blobs: Blobs;
  readonly store: StoreAccess;
  readonly http: Http;
  readonly limits: LayerLimits;
  /** Of images for this machine, as OCI calls it. */
  readonly architecture: string;
  readonly logger: Logger;
  /** Where logins of registries are found; undefined: that of this process. */
  readonly environment: Readonly<Record<string, string | undefined>> | undefined;
  /** Who needs blobs apart from images. */
  readonly references: () => Promise<readonly BlobReference[]>;
}
