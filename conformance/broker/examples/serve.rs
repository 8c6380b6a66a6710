//! Serves a target over the adapter protocol, as `workwire adapter TARGET` does.

use workwire_broker::{Target, adapter};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let target = std::env::args().nth(1).ok_or("expected a target")?;
    let broker = target.parse::<Target>()?.open().await?;
    adapter::serve(broker, tokio::io::stdin(), tokio::io::stdout()).await?;
    Ok(())
}
