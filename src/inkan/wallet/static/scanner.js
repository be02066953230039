// @ts-check
/** Looks for codes in a running picture, one look at a time, until it is told to stop. */

import { DeviceFault, timed } from "./timed.js";

/** @typedef {import("./detector.js").Detector} Detector */

const PLAY_MS = 10_000;
const NEXT_MS = 250; // a picture that stands still sends no new frames
const REST_MS = 40;

/**
 * Show a stream and look for codes in it.
 *
 * @param {HTMLVideoElement} video
 * @param {MediaStream} stream
 * @param {Detector} detector
 * @param {(text: string) => Promise<void>} hear called for every code of every look; the next look waits for it
 * @param {AbortSignal} signal the end
 * @throws {import("./timed.js").DeviceFault} camera_busy: the stream shows nothing; camera_lost: it ended by itself;
 *   reader_failed
 */
export async function scan(video, stream, detector, hear, signal) {
  video.srcObject = stream;
  const ended = lost(stream);
  try {
    await timed(video.play(), PLAY_MS, "camera_busy");
    while (!signal.aborted) {
      const texts = await Promise.race([detector.look(video), ended]);
      for (const text of texts) {
        if (!signal.aborted) {
          await hear(text);
        }
      }
      await Promise.race([nextPicture(video), ended]);
    }
  } catch (error) {
    if (!signal.aborted) {
      throw error;
    }
  } finally {
    video.srcObject = null;
  }
}

/** @param {MediaStream} stream @returns {Promise<never>} */
function lost(stream) {
  const end = new Promise((_, reject) => {
    for (const track of stream.getVideoTracks()) {
      track.addEventListener("ended", () => reject(new DeviceFault("camera_lost")), { once: true });
    }
  });
  end.catch(() => {}); // it may end while nobody looks
  return /** @type {Promise<never>} */ (end);
}

/** @param {HTMLVideoElement} video */
async function nextPicture(video) {
  const rest = new Promise((resolve) => setTimeout(resolve, REST_MS));
  const next = new Promise((resolve) => {
    const timer = setTimeout(resolve, NEXT_MS);
    video.requestVideoFrameCallback?.(() => {
      clearTimeout(timer);
      resolve(undefined);
    });
  });
  await Promise.all([rest, next]);
}
