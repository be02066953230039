// @ts-check
/** Pictures to look for codes in: the phone's camera, or outside production another window of the computer. */

import { DeviceFault } from "./timed.js";

// What getUserMedia and getDisplayMedia refuse with (Media Capture and Streams §10.2), by what a person can do.
/** @type {Readonly<Record<string, string>>} */
const FAULTS = {
  NotAllowedError: "camera_denied",
  SecurityError: "camera_denied",
  NotFoundError: "camera_none",
  OverconstrainedError: "camera_none",
  NotReadableError: "camera_busy",
  AbortError: "camera_busy",
};

/**
 * The camera on the back, where there is one.
 *
 * @returns {Promise<MediaStream>}
 * @throws {DeviceFault} camera_denied, camera_none, camera_busy
 */
export async function openCamera() {
  const wanted = { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } };
  return opened(navigator.mediaDevices?.getUserMedia?.({ video: wanted, audio: false }));
}

/** Whether another window can be looked at. @returns {boolean} */
export function hasScreens() {
  return typeof navigator.mediaDevices?.getDisplayMedia === "function";
}

/**
 * A window of this computer that the person chooses; call it from a tap.
 *
 * @returns {Promise<MediaStream>}
 * @throws {DeviceFault} as for the camera
 */
export async function openScreen() {
  return opened(navigator.mediaDevices?.getDisplayMedia?.({ video: true, audio: false }));
}

/** @param {Promise<MediaStream> | undefined} asked @returns {Promise<MediaStream>} */
async function opened(asked) {
  if (asked === undefined) {
    throw new DeviceFault("camera_none");
  }
  try {
    return await asked;
  } catch (error) {
    throw new DeviceFault(FAULTS[/** @type {Error} */ (error).name] ?? "camera_none", error);
  }
}

/** @param {MediaStream} stream */
export function close(stream) {
  for (const track of stream.getTracks()) {
    track.stop();
  }
}

/**
 * The light of the camera.
 *
 * @param {MediaStream} stream
 * @returns {((isOn: boolean) => Promise<void>) | null} null where there is none
 */
export function findTorch(stream) {
  const [track] = stream.getVideoTracks();
  const capabilities = /** @type {{ torch?: boolean }} */ (track?.getCapabilities?.() ?? {});
  if (track === undefined || !capabilities.torch) {
    return null;
  }
  return (isOn) => track.applyConstraints({ advanced: [/** @type {MediaTrackConstraintSet} */ ({ torch: isOn })] });
}
