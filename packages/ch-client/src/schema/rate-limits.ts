import type { Int64 } from "./common.ts";

/** A token bucket: what may pass at once, and how fast it fills up again. */
export interface TokenBucket {
  /** Tokens that the bucket holds: bytes, or operations. */
  readonly size: Int64;
  /** Tokens that may be spent once on top, at the start. */
  readonly one_time_burst?: Int64 | undefined;
  /** Milliseconds in which an empty bucket fills up. */
  readonly refill_time: Int64;
}

/** Limits of a device's throughput. */
export interface RateLimiterConfig {
  /** Bytes. */
  readonly bandwidth?: TokenBucket | undefined;
  /** Operations. */
  readonly ops?: TokenBucket | undefined;
}

/** A limit that several disks share. */
export interface RateLimitGroupConfig {
  readonly id: string;
  readonly rate_limiter_config: RateLimiterConfig;
}
