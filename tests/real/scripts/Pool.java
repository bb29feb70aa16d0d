/* SPDX-License-Identifier: MIT */
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** A pool of four threads, futures, a parallel stream. Prints what it computed. */
public class Pool {
	public static void main(String[] args) throws Exception {
		ExecutorService pool = Executors.newFixedThreadPool(4);
		List<Future<Long>> futures = new ArrayList<>();
		long sum = 0;

		for (int i = 0; i < Integer.parseInt(args[0]); i++) {
			int n = i;
			futures.add(pool.submit(() -> LongStream.range(0, n * 100).sum()));
		}
		for (Future<Long> f : futures)
			sum += f.get();
		pool.shutdown();
		System.out.println(sum + " " + IntStream.range(0, 10000).parallel().sum());
	}
}
