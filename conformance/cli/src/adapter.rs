//! `workwire adapter`: a built-in broker, served over the adapter protocol.

use tokio::io::{stdin, stdout};
use tokio::runtime::Builder;
use workwire_broker::Target;

use crate::arguments::Adapter;
use crate::exit::{Exit, Failure};

pub(crate) fn run(arguments: &Adapter) -> Result<Exit, Failure> {
    let runtime = Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format!("cannot start the runtime: {error}")))?;
    let served = runtime.block_on(async {
        let target: Target = arguments.target.parse()?;
        let broker = target.open().await?;
        workwire_broker::adapter::serve(broker, stdin(), stdout())
            .await
            .map_err(|error| Failure::new(format!("cannot go on serving: {error}")))
    });
    // A read of standard input goes on until a line comes, and nobody waits for that.
    runtime.shutdown_background();
    served.map(|()| Exit::Holds)
}
