//! Why the exchange gave no trades, as a sentence.

use tapedeck_sdk::{HttpResponse, Reason, excerpt};

use super::rows;

/// Why an answer that is not of status 200 gives no trades.
pub(super) fn of_response(response: &HttpResponse) -> Reason {
    let status = response.status;
    let advice = match status {
        429 => "its request limit is used up",
        418 => "it has banned this address for asking on after its request limit was used up",
        403 => "its firewall turned the request away",
        401 => "it wants an API key for this",
        451 => "it does not serve this location",
        400 => "it does not accept the request",
        500.. => "it failed, which may pass",
        _ => "that is no answer with trades",
    };
    let wait = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("retry-after"));
    let wait = wait.map(|header| format!(", and may be asked again in {:.20} s", header.value)).unwrap_or_default();
    format!("Binance answered with HTTP {status}: {advice}{wait}{}", said(&response.body)).into()
}

/// Why a body that is no list gives no trades.
pub(super) fn of_body(body: &[u8]) -> Reason {
    format!("Binance's answer is no list of trades{}", said(body)).into()
}

fn said(body: &[u8]) -> String {
    match rows::read_error(body) {
        Ok((Some(code), message)) => {
            let meaning = match code {
                -1121 => ", which is to say that it has no market of this spelling",
                -1003 => ", which is to say that too many requests were made",
                -2014 | -2015 => ", which is to say that it wants an API key for this",
                _ => "",
            };
            let message = excerpt(message.unwrap_or_default().as_bytes());
            format!("; it says {message} (code {code}){meaning}")
        }
        _ if body.is_empty() => String::new(),
        _ => format!("; it says {}", excerpt(body)),
    }
}
