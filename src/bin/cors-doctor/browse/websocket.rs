use super::{Asking, Course, Ending, Obstacle, headers};
use crate::{case::Case, exchange::Kind, lab::Lab};

/// Opens a WebSocket (<https://websockets.spec.whatwg.org/#concept-websocket-establish>): no
/// preflight, no CORS check, no redirects.
pub(crate) async fn open_websocket(lab: &mut Lab<'_>, case: &Case) -> Course {
    let last = Asking {
        origin: case.origin().to_owned(),
        redirects: 0,
        preflight: None,
        preflights: Vec::new(),
        is_cross_origin: !case.is_same_origin(),
    };
    if let Some(obstacle) = Obstacle::find(case, &case.url, false) {
        return Course {
            ending: Ending::Kept(obstacle),
            last,
        };
    }
    let handshake = headers::handshake(case, case.origin(), true);
    let step = lab.browse(Kind::WebSocket, handshake).await;
    let ending = match lab.answer(step) {
        None => Ending::NoAnswer(step),
        Some(answer) if answer.status == 101 => Ending::Readable(step),
        Some(_) => Ending::Withheld(step, Vec::new()),
    };
    Course { ending, last }
}
